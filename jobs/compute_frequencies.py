"""Allele counts by stratum and allele frequencies by ancestry, of all active callsets.

Reads   callsets, samples, ancestries, genotypes; partition_inputs (what was counted before)
Writes  strata, allele_counts, allele_frequencies

    spark-submit jobs/compute_frequencies.py --warehouse PATH
"""

from allofus_spark.cli.frequencies import frequencies_command

if __name__ == "__main__":
    frequencies_command()
