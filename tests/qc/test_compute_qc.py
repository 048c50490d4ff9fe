"""The whole job on small callsets: what it reads from sites, whom it counts, what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from allofus_spark.errors import BadSamples, BadSource, ContractViolation
from allofus_spark.ingest import ingest_genotypes, ingest_samples
from allofus_spark.qc import compute_qc
from allofus_spark.settings import load_settings
from allofus_spark.tables import SAMPLE_QC, VARIANT_SITES, WHOLE_TABLE, Keys, Warehouse, Write, start_run

SAMPLES = ("a", "b", "c", "d", "e")
# Position, REF, ALT, QUAL and the calls.
RECORDS = (
    (100, "A", "G", "59.9", "0/0 0/1 1/1 ./. 0/1"),
    (200, "A", "C,T", "60", "0/0 0/1 1/2 2/2 ./."),
    (300, "A", "AT", "68.9", "0/1 0/1 0/1 0/1 0/1"),
    (400, "AT", "A", "69", "0/0 0/0 0/0 0/1 ./."),
    (500, "A", "<DEL>", "1", "0/0 0/0 0/0 0/1 ./."),
    (600, "A", "T", ".", "0/0 0/0 0/0 0/0 0/0"),
)


def write_vcf(path: Path, samples: tuple[str, ...] = SAMPLES) -> Path:
    lines = ["##fileformat=VCFv4.3", "##contig=<ID=chr1>", "##contig=<ID=chr2>"]
    fixed = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
    lines.append("\t".join((*fixed, *samples)))
    for chrom in ("chr1", "chr2"):
        for position, ref, alt, qual, calls in RECORDS:
            cells = calls.split()[: len(samples)]
            lines.append("\t".join((chrom, str(position), ".", ref, alt, qual, "PASS", ".", "GT", *cells)))
    path.write_text("\n".join(lines) + "\n")
    return path


def ingest(warehouse: Warehouse, vcf: Path, callset_id: str, *, replaces: str | None = None) -> None:
    about = {"callset_id": callset_id, "callset_date": "2026-01-01", "build": "GRCh38"}
    ingest_genotypes(warehouse, [str(vcf)], replaces=replaces, **about)


def rewrite_sites(warehouse: Warehouse, change: Callable[[Any], Any]) -> None:
    """Puts other rows in the place of ``variant_sites``."""
    with start_run(warehouse, "test") as run:
        rows = change(run.read(VARIANT_SITES)).localCheckpoint()
        run.write(Write(VARIANT_SITES, rows, WHOLE_TABLE, Keys.HELD))


def rows_of(warehouse: Warehouse, name: str) -> list[dict[str, Any]]:
    table = warehouse.contract(name)
    return [row.asDict(recursive=True) for row in warehouse.read(table).orderBy(*table.key).collect()]


@pytest.fixture(scope="module")
def vcf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_vcf(tmp_path_factory.mktemp("qc") / "c.vcf")


@pytest.fixture(scope="module")
def assessed(spark: SparkSession, vcf: Path) -> tuple[Warehouse, dict[str, int]]:
    """Callset ``c``; position 100 has no call of high quality, 200 has two, the others are not assessed."""
    warehouse = Warehouse(spark, load_settings(warehouse=str(vcf.parent / "warehouse")))
    labels = vcf.with_suffix(".tsv")
    labels.write_text("sample_id\tancestry\n" + "".join(f"{name}\teur\n" for name in SAMPLES[:4]))
    ingest_samples(warehouse, labels, callset_id="c")
    ingest(warehouse, vcf, "c")
    said = F.when(F.col("position") == 100, 0).when(F.col("position") == 200, 2)
    rewrite_sites(warehouse, lambda sites: sites.withColumn("n_high_quality_calls", said))
    return warehouse, compute_qc(warehouse, unrelated=["a", "b", "c", "e"])


def test_variants_are_flagged_by_what_their_sites_say(assessed: tuple[Warehouse, dict[str, int]]) -> None:
    warehouse, counters = assessed
    rows = rows_of(warehouse, "variant_qc")
    by_key = {(row["contig"], row["position"], row["alt"]): row for row in rows}
    assert len(rows) == counters["variants"] == 14
    for contig in ("chr1", "chr2"):
        found = {
            key[1:]: (row["reasons"], row["not_assessed"]) for key, row in by_key.items() if key[0] == contig
        }
        assert found == {
            (100, "G"): (["NO_HQ_GENOTYPES", "LowQual"], []),
            (200, "C"): ([], []),
            (200, "T"): ([], []),
            (300, "AT"): (["LowQual"], ["no_genotype_quality"]),
            (400, "A"): ([], ["no_genotype_quality"]),
            (500, "<DEL>"): ([], ["no_genotype_quality", "no_qual_threshold"]),
            (600, "T"): ([], ["no_genotype_quality", "no_qual"]),
        }
    assert counters["variants_flagged_LowQual"] == 4
    assert counters["variants_flagged_NO_HQ_GENOTYPES"] == 2
    assert counters["variants_flagged_ExcessHet"] == 0
    assert counters["variants_not_assessed_no_genotype_quality"] == 8


def test_tests_are_made_among_the_unrelated_of_a_group(assessed: tuple[Warehouse, dict[str, int]]) -> None:
    warehouse, _ = assessed
    (row,) = [
        row for row in rows_of(warehouse, "variant_qc") if (row["contig"], row["position"]) == ("chr1", 100)
    ]
    # d is related and not called; e has no label.
    assert row["hwe_eur"] == {"n_hom_ref": 1, "n_het": 1, "n_hom_alt": 1, "neg_log10_p": 0.0}
    assert row["hwe_afr"] == {"n_hom_ref": 0, "n_het": 0, "n_hom_alt": 0, "neg_log10_p": None}
    assert [row["excess_het"][name] for name in ("n_hom_ref", "n_het", "n_hom_alt")] == [1, 2, 1]
    assert (row["n_meant"], row["n_called"], row["call_rate"]) == (5, 4, 0.8)
    tested = {name: count for name, count in assessed[1].items() if name.startswith("hardy_weinberg_")}
    assert {name: count for name, count in tested.items() if count} == {"hardy_weinberg_eur": 3}


def test_samples_are_counted_by_allele(assessed: tuple[Warehouse, dict[str, int]]) -> None:
    warehouse, _ = assessed
    by_id = {row["sample_id"]: row for row in rows_of(warehouse, "sample_qc")}
    # Two contigs of seven alleles. c: hom 100 G, het 200 C and 200 T, het 300 AT.
    c = by_id["c"]
    assert (c["n_called"], c["n_missing"], c["n_het"], c["n_hom_alt"], c["n_hom_ref"]) == (14, 0, 6, 2, 6)
    assert (c["n_snv"], c["n_insertion"], c["n_deletion"], c["n_other"]) == (6, 2, 0, 0)
    assert (c["n_transitions"], c["n_transversions"], c["ti_tv"]) == (2, 4, 0.5)
    assert (c["het_hom_ratio"], c["insertion_deletion_ratio"]) == (3.0, None)
    assert (c["n_snv_het"], c["n_snv_hom_alt"], c["snv_het_hom_ratio"]) == (4, 2, 2.0)
    d = by_id["d"]
    assert (d["n_missing"], d["call_rate"], d["n_singletons"]) == (2, 12 / 14, 4)
    assert (d["n_deletion"], d["n_other"], d["insertion_deletion_ratio"]) == (2, 2, 1.0)
    assert (d["n_snv_het"], d["n_snv_hom_alt"], d["snv_het_hom_ratio"]) == (0, 2, 0.0)
    for row in by_id.values():
        assert row["inferred_sex"] is None
        assert row["not_assessed"] == ["few_x_calls", "no_sex_karyotype"]


def test_unknown_unrelated_ids_are_named_and_counted(assessed: tuple[Warehouse, dict[str, int]]) -> None:
    with pytest.raises(BadSamples, match=r"2 of 3 sample ids are in no active callset: x, y"):
        compute_qc(assessed[0], unrelated=["a", "y", "x"])


def test_without_a_callset_nothing_is_assessed(warehouse: Warehouse) -> None:
    with pytest.raises(BadSource, match="holds no callset; run ingest-genotypes first"):
        compute_qc(warehouse)


def test_results_do_not_depend_on_how_the_work_is_cut(
    assessed: tuple[Warehouse, dict[str, int]], spark: SparkSession, vcf: Path, tmp_path: Path
) -> None:
    cut = ["genome.bin_width_bases=1000", "ingest.batch_bytes=1024"]
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path / "cut"), overrides=cut))
    ingest_samples(warehouse, vcf.with_suffix(".tsv"), callset_id="c")
    ingest(warehouse, vcf, "c")
    said = F.when(F.col("position") == 100, 0).when(F.col("position") == 200, 2)
    rewrite_sites(warehouse, lambda sites: sites.withColumn("n_high_quality_calls", said).repartition(5))
    spark.conf.set("spark.sql.shuffle.partitions", "5")
    try:
        compute_qc(warehouse, unrelated=["a", "b", "c", "e"])
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", "2")
    for name in ("variant_qc", "sample_qc"):
        assert rows_of(warehouse, name) == rows_of(assessed[0], name)


def test_a_retired_callset_is_left_out_and_a_lost_site_is_refused(
    warehouse: Warehouse, vcf: Path, tmp_path: Path
) -> None:
    fewer = write_vcf(tmp_path / "fewer.vcf", SAMPLES[:3])
    ingest(warehouse, vcf, "old")
    ingest(warehouse, fewer, "new", replaces="old")
    counters = compute_qc(warehouse, assume_unrelated=True)
    assert {row["callset_id"] for row in rows_of(warehouse, "variant_qc")} == {"new"}
    assert [row["sample_id"] for row in rows_of(warehouse, "sample_qc")] == ["a", "b", "c"]
    assert (counters["callsets"], counters["samples"], counters["samples_unrelated"]) == (1, 3, 3)
    lost = (F.col("contig") == "chr2") & (F.col("position") == 300) & (F.col("callset_id") == "new")
    rewrite_sites(warehouse, lambda sites: sites.where(~lost))
    before = warehouse.state(SAMPLE_QC)
    with pytest.raises(
        ContractViolation, match="not one to one, nothing was written: near new:chr2:0:300:A:AT"
    ):
        compute_qc(warehouse)
    assert warehouse.state(SAMPLE_QC) == before
