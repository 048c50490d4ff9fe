"""Staged rows to the rows of each table. DataFrame in, DataFrame out."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.genome import variant_id_expr, variant_type_expr
from allofus_spark.ingest.vcf import staging
from allofus_spark.tables import ALLELE_KEY, GENOTYPES, VARIANT_SITES


def allele_rows(staged: DataFrame, *, callset_id: str, bin_width_bases: int) -> DataFrame:
    """Staged alleles with their partition columns. Grain: allele × callset, duplicates still in."""
    bin_of = F.floor(F.col("position") / bin_width_bases).cast("int")
    alleles = staged.where(F.col("row_kind") == staging.ALLELE)
    return alleles.withColumn("bin", bin_of).withColumn("callset_id", F.lit(callset_id))


def genotype_rows(alleles: DataFrame) -> DataFrame:
    """Rows of ``genotypes``."""
    return alleles.select(*(column.name for column in GENOTYPES.columns))


def site_rows(alleles: DataFrame) -> DataFrame:
    """Rows of ``variant_sites``."""
    return alleles.select(*(column.name for column in VARIANT_SITES.columns))


def dated_alleles(alleles: DataFrame, callset_date: Column) -> DataFrame:
    """Allele keys with (date, id) of the callset that has them."""
    carrier = F.struct(callset_date.alias("callset_date"), F.col("callset_id"))
    return alleles.select(*ALLELE_KEY, carrier.alias("carrier"))


def variant_rows(dated: DataFrame, *, one_callset: bool) -> DataFrame:
    """Rows of ``variants`` from the alleles of all callsets.

    ``one_callset`` says that keys are unique already, which saves the shuffle.
    """
    if not one_callset:
        dated = dated.groupBy(*ALLELE_KEY).agg(F.min("carrier").alias("carrier"))
    return dated.select(
        *ALLELE_KEY,
        variant_id_expr(F.col("contig"), F.col("position"), F.col("ref"), F.col("alt")).alias("variant_id"),
        variant_type_expr(F.col("ref"), F.col("alt")).alias("variant_type"),
        F.col("carrier.callset_id").alias("first_callset_id"),
    )


def rejected_rows(staged: DataFrame, *, callset_id: str) -> DataFrame:
    """Rows of ``rejected_records`` for records that the parser refused."""
    return _rejected(staged.where(F.col("row_kind") == staging.REJECTED), callset_id, F.col("reason"))


def rejected_allele_rows(alleles: DataFrame, *, callset_id: str, reason: str) -> DataFrame:
    """Rows of ``rejected_records`` for alleles that were read and are not kept."""
    written = alleles.withColumns(
        {
            "chrom": F.col("contig"),
            "pos": F.col("input_position").cast("string"),
            "qual_text": F.col("qual").cast("string"),
            "filter": F.when(F.size("filters") == 0, "PASS").otherwise(F.array_join("filters", ";")),
        }
    )
    return _rejected(written, callset_id, F.lit(reason))


def _rejected(rows: DataFrame, callset_id: str, reason: Column) -> DataFrame:
    return rows.select(
        F.lit(callset_id).alias("callset_id"),
        "source_file",
        "source_offset",
        "input_allele",
        reason.alias("reason"),
        "chrom",
        "pos",
        F.col("input_id").alias("id"),
        F.col("input_ref").alias("ref"),
        F.col("input_alts").alias("alt"),
        F.col("qual_text").alias("qual"),
        "filter",
    )
