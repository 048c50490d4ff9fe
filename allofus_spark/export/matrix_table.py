"""A Hail MatrixTable, by way of the VCF that the tasks write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pyspark.sql import SparkSession

from allofus_spark.errors import BuildMismatch, shown
from allofus_spark.hadoop import without_glob
from allofus_spark.hail_bridge import start_hail


def check_reference(spark: SparkSession, build_name: str, contigs: Iterable[str]) -> None:
    """Raise BuildMismatch where Hail has no reference genome of the build, or it lacks a contig."""
    import hail as hl

    start_hail(spark, build_name)
    unknown = sorted(set(contigs) - set(hl.get_reference(build_name).contigs))
    if unknown:
        raise BuildMismatch(
            f"Hail's reference {build_name} lacks {len(unknown)} contigs of the callset: {shown(unknown)}; "
            "leave them out with --region or --regions-file, or export vcf"
        )


def vcf_to_matrix_table(vcf: Path, matrix_table: Path, build_name: str, partitions: int) -> None:
    """Write a MatrixTable of a bgzip VCF: locus, alleles, rsid, qual, filters, and the entry GT.

    Haploid calls stay haploid.
    """
    import hail as hl

    rows = hl.import_vcf(
        f"file://{without_glob(str(vcf))}",
        reference_genome=build_name,
        force_bgz=True,
        min_partitions=partitions,
    )
    rows.write(f"file://{matrix_table}")
