"""Products that count no people: consequences by transcript, and where to look for rs numbers and genes."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_ALLELE = ("contig", "position", "ref", "alt")


def consequence_rows(consequences: DataFrame, released: DataFrame) -> DataFrame:
    """Transcripts that released variants fall into. Grain: allele × transcript."""
    keys = released.select(*_ALLELE)
    return consequences.where(F.col("transcript_id").isNotNull()).join(keys, list(_ALLELE))


def rsid_rows(released: DataFrame) -> DataFrame:
    """rs numbers of released variants. Grain: rs number × allele."""
    numbers = released.select(*_ALLELE, F.explode("rsids").alias("rsid"))
    return numbers.withColumn("rs_number", F.substring("rsid", 3, 18).cast("long"))


def gene_rows(consequences: DataFrame) -> DataFrame:
    """Genes of `consequence_rows`. Grain: gene × contig."""
    gene = F.coalesce("gene_symbol", "gene_id")
    by_variant = (
        consequences.where(gene.isNotNull())
        .groupBy(gene.alias("symbol"), *_ALLELE)
        .agg(F.min("gene_id").alias("gene_id"), F.bool_or("is_coding").alias("is_coding"))
    )
    return by_variant.groupBy(F.col("symbol").alias("gene_symbol"), "contig").agg(
        F.min("gene_id").alias("gene_id"),
        F.min("position").alias("first_position"),
        F.max("position").alias("last_position"),
        F.count("*").alias("n_variants"),
        F.count_if("is_coding").alias("n_coding"),
    )
