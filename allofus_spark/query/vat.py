"""The view ``vat``: our tables under the column names of the public Variant Annotation Table.

Columns whose content is not known here (exon numbers, HGVS, canonical transcripts, other databases' scores
and frequencies) are left out; ``novelty_status`` is added.

Source: All of Us Research Program, Variant Annotation Table; names as in its export (broadinstitute/gatk,
GvsCreateVATFilesFromBigQuery).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.cohort import passing_alleles, read_consequences, read_frequencies, read_novelty
from allofus_spark.tables import ALLELE_KEY, VARIANTS, SnapshotReader, Warehouse

_FIELDS = ("ac", "an", "af", "sc")
# How the ids of each source's transcripts begin.
_TRANSCRIPT_SOURCES = {"Ensembl": "^ENS", "RefSeq": "^[NX][MR]_"}


def read_vat(warehouse: Warehouse, snapshot: Mapping[str, int]) -> DataFrame:
    """The view at a snapshot. Grain: allele × transcript, alleles in no transcript once.

    Novelty is that of ``summary.catalogue_set``, consequences those of ``consequences.annotator``; their
    columns are null where the tables are not there. With ``summary.passing_only`` an allele must have passed
    its filters, or not been filtered, in an active callset. Alleles that nobody carries are kept.
    """
    settings = warehouse.settings
    reader = SnapshotReader(warehouse, snapshot)
    groups = settings.frequencies.ancestry_groups
    frequencies = read_frequencies(reader, groups)
    if settings.summary.passing_only:
        frequencies = frequencies.join(passing_alleles(reader), list(ALLELE_KEY), "left_semi")
    return vat(
        frequencies,
        reader.read(VARIANTS),
        read_novelty(warehouse, reader),
        read_consequences(warehouse, reader),
        groups=groups,
    )


def vat(
    frequencies: DataFrame,
    variants: DataFrame,
    novelty: DataFrame,
    consequences: DataFrame,
    *,
    groups: Sequence[str],
) -> DataFrame:
    """``frequencies`` with their novelty (joined one to one) and consequences (one to many)."""
    key = list(ALLELE_KEY)
    statuses = novelty.select(*key, F.col("status").alias("novelty_status"), rs_ids().alias("dbsnp_rsid"))
    transcripts = consequences.select(
        *key,
        F.col("transcript_id").alias("transcript"),
        "gene_symbol",
        "gene_id",
        _transcript_source().alias("transcript_source"),
        "aa_change",
        F.when(F.size("terms") > 0, F.col("terms")).alias("consequence"),
        F.col("dna_change").alias("dna_change_in_transcript"),
    )
    joined = (
        frequencies.join(variants.select(*key, "variant_type"), key, "left")
        .join(statuses, key, "left")
        .join(transcripts, key, "left")
    )
    return joined.select(
        F.col("variant_id").alias("vid"),
        "transcript",
        "contig",
        "position",
        F.col("ref").alias("ref_allele"),
        F.col("alt").alias("alt_allele"),
        *(F.col(f"overall.{field}").alias(f"gvs_all_{field}") for field in _FIELDS),
        *(_of_max_group(field, groups).alias(f"gvs_max_{field}") for field in _FIELDS),
        F.col("max_af_group").alias("gvs_max_subpop"),
        *(F.col(f"{group}.{field}").alias(f"gvs_{group}_{field}") for group in groups for field in _FIELDS),
        *("gene_symbol", "transcript_source", "aa_change", "consequence", "dna_change_in_transcript"),
        *("variant_type", "dbsnp_rsid", "gene_id", "novelty_status"),
    )


def rs_ids() -> Column:
    """Distinct rs numbers of a row of ``novelty``, sorted as text; empty: the catalogues give none."""
    ids = F.split(F.array_join(F.col("reports.known_id"), ";"), ";")
    return F.array_sort(F.array_distinct(F.filter(ids, lambda known: known.rlike("^rs[0-9]+$"))))


def _of_max_group(field: str, groups: Sequence[str]) -> Column:
    """A field of the group with the highest allele frequency; null where no group has a call."""
    return F.coalesce(
        *(F.when(F.col("max_af_group") == group, F.col(f"{group}.{field}")) for group in groups)
    )


def _transcript_source() -> Column:
    """Where the transcript comes from, by its id; null where the id does not tell."""
    return F.coalesce(
        *(
            F.when(F.col("transcript_id").rlike(form), F.lit(name))
            for name, form in _TRANSCRIPT_SOURCES.items()
        )
    )
