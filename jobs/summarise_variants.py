"""How many variants there are, how many were not reported before, and how many of these are coding.

Reads   callsets, variants, variant_sites, allele_frequencies, catalogue_sets, novelty, consequences
Writes  variant_summary

    spark-submit jobs/summarise_variants.py --warehouse PATH
"""

from allofus_spark.cli.summary import summary_command

if __name__ == "__main__":
    summary_command()
