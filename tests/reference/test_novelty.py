"""Novelty of real callsets against real catalogues, with the overlaps that plain programs find."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pysam
import pytest
from pyspark.sql import SparkSession

from allofus_spark.ingest import ingest_catalogue, ingest_genotypes
from allofus_spark.ingest.vcf.header import FIXED_COLUMNS
from allofus_spark.novelty import flag_novelty
from allofus_spark.settings import load_settings
from allofus_spark.tables import NOVELTY, VARIANTS, Warehouse

pytestmark = pytest.mark.long


def new_warehouse(spark: SparkSession, root: Path, fasta: Path | None = None) -> Warehouse:
    overrides = [f"genome.reference_fasta={fasta}"] if fasta else []
    return Warehouse(spark, load_settings(warehouse=str(root), overrides=overrides))


def flag(warehouse: Warehouse, cohort: Path, catalogue: Path, build: str) -> Counter[tuple[str, str]]:
    """Alleles by (status, variant type)."""
    ingest_genotypes(warehouse, [str(cohort)], callset_id="c", callset_date="2026-01-01", build=build)
    ingest_catalogue(warehouse, [str(catalogue)], name="known", version="1", build=build)
    flag_novelty(warehouse)
    key = ["contig", "bin", "position", "ref", "alt"]
    rows = warehouse.read(NOVELTY).join(warehouse.read(VARIANTS), key).select("status", "variant_type")
    counted = rows.groupBy(*rows.columns).count().collect()
    return Counter({(row.status, row.variant_type): row["count"] for row in counted})


def by_status(counted: Counter[tuple[str, str]]) -> Counter[str]:
    of_status: Counter[str] = Counter()
    for (status, _), number in counted.items():
        of_status[status] += number
    return of_status


def test_the_3202_samples_share_37_alleles_with_gnomad_exomes(
    spark: SparkSession, realdata: Path, tmp_path: Path
) -> None:
    counted = flag(
        new_warehouse(spark, tmp_path),
        realdata / "multisample" / "1kgp_hc_3202_chr1_10390-66441.grch38.vcf.gz",
        realdata / "known_sites" / "gnomad_exomes_r2.1.1_chr1_12k-494k.stripped.grch38.vcf.gz",
        "GRCh38",
    )
    assert sum(counted.values()) == 889
    reported = {kind: n for (status, kind), n in counted.items() if status == "reported"}
    assert reported["snv"] == 34
    assert reported.get("insertion", 0) + reported.get("deletion", 0) == 3
    assert sum(reported.values()) == 37


def as_written(vcf: Path) -> set[tuple[int, str, str]]:
    with pysam.VariantFile(str(vcf)) as records:
        return {(record.pos, record.ref, alt) for record in records for alt in record.alts if alt != "*"}


@pytest.mark.parametrize("aligned", [True, False], ids=["left-aligned", "trimmed"])
def test_another_callset_of_chr22_shares_251_alleles_with_the_2504_samples(
    aligned: bool, spark: SparkSession, realdata: Path, tmp_path: Path
) -> None:
    cohort = realdata / "multisample" / "hail_sample2_100_chr22_multiallelic_DP_GQ_PL.grch37.vcf.gz"
    known = realdata / "multisample" / "1kg_p3_2504_chr22_16.05-16.5M.grch37.vcf.gz"
    assert len(as_written(cohort)) == 1_172
    assert len(as_written(cohort) & as_written(known)) == 244
    fasta = realdata / "reference" / "grch37_chr22_1-22000000.fa.gz" if aligned else None
    counted = by_status(flag(new_warehouse(spark, tmp_path, fasta), cohort, known, "GRCh37"))
    if aligned:  # 284 positions are shared
        assert counted == {"reported": 251, "known_site_new_allele": 284 - 251, "unreported": 888}
    else:
        assert counted == {
            "reported": 251, "known_site_new_allele": 10, "unreported": 353, "not_assessable": 558
        }  # fmt: skip


def with_other_alleles(vcf: Path, target: Path, number: int) -> None:
    """The records of a VCF, and beside ``number`` of its SNVs a base that none of them has there."""
    header, seen = [], defaultdict[tuple[int, str], set[str]](set)
    with pysam.VariantFile(str(vcf)) as records:
        header = ["##fileformat=VCFv4.2", "\t".join(FIXED_COLUMNS)]
        lines = []
        for record in records:
            lines.append((record.pos, record.ref, ",".join(record.alts)))
            seen[record.pos, record.ref].update(record.alts)
    single = sorted(
        (pos, ref) for pos, ref in seen if len(ref) == 1 and any(len(alt) == 1 for alt in seen[pos, ref])
    )
    chosen = [(pos, ref) for pos, ref in single if set("ACGT") - seen[pos, ref] - {ref}][
        :: len(single) // number
    ]
    lines += [(pos, ref, min(set("ACGT") - seen[pos, ref] - {ref})) for pos, ref in chosen[:number]]
    rows = [f"21\t{pos}\t.\t{ref}\t{alts}\t.\t.\t." for pos, ref, alts in sorted(lines)]
    target.write_text("\n".join([*header, *rows]) + "\n")


def test_dbsnp_is_reported_by_itself_and_other_alleles_are_new(
    spark: SparkSession, realdata: Path, tmp_path: Path
) -> None:
    dbsnp = realdata / "known_sites" / "dbsnp149_chr21_25.0-26.0M.grch38.vcf.gz"
    fasta = realdata / "reference" / "grch38_chr21_real_24985581-26023859.fa.gz"
    cohort = tmp_path / "cohort.vcf"
    with_other_alleles(dbsnp, cohort, 1_000)
    counted = flag(new_warehouse(spark, tmp_path / "warehouse", fasta), cohort, dbsnp, "GRCh38")
    assert by_status(counted) == {"reported": 119_071, "known_site_new_allele": 1_000}
