"""How many people are of communities under-represented in biomedical research, with and without genomes.

Reads   persons, person_samples, callsets, samples; definitions of the settings
Writes  representation; the picture representation.html

    spark-submit jobs/report_cohort.py --warehouse PATH
"""

from allofus_spark.cli.persons import report_cohort_command

if __name__ == "__main__":
    report_cohort_command()
