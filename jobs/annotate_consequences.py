"""Coding consequences of the cohort's variants, by bcftools csq or from a ready annotation table.

Reads   callsets, variants; GFF3 and FASTA of the settings, or an annotation table
Writes  consequences, partition_inputs

    spark-submit jobs/annotate_consequences.py --warehouse PATH --set consequences.gff3=FILE
"""

from allofus_spark.cli.consequences import annotate_command

if __name__ == "__main__":
    annotate_command()
