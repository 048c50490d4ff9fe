"""Kinship of all pairs of samples, and the largest set of unrelated ones.

Reads   callsets, samples, genotypes; ancestries for pc-relate
Writes  related_pairs, unrelated; the picture relatedness

    spark-submit jobs/compute_relatedness.py --warehouse PATH
"""

from allofus_spark.cli.relatedness import relatedness_command

if __name__ == "__main__":
    relatedness_command()
