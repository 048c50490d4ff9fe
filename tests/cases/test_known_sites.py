"""Cases 07 and 16: known variants are told by their allele, however contig and indel are spelled."""

from __future__ import annotations

import json
from pathlib import Path

import pysam
import pytest
from pyspark.sql import SparkSession

from allofus_spark.errors import BuildMismatch
from allofus_spark.ingest import ingest_catalogue, ingest_genotypes
from allofus_spark.novelty import flag_novelty
from allofus_spark.settings import load_settings
from allofus_spark.tables import CATALOGUES, NOVELTY, Warehouse
from tests.cases.vcf_files import FIXED, write_bytes


def flagged(warehouse: Warehouse, cohort: Path, known: Path, build: str) -> dict[str, tuple[str, str | None]]:
    """(status, reason or the ids in the catalogue) of each allele, as contig:position:ref:alt."""
    ingest_genotypes(warehouse, [str(cohort)], callset_id="c", callset_date="2026-01-01", build=build)
    ingest_catalogue(warehouse, [str(known)], name="known", version="1", build=build)
    flag_novelty(warehouse)
    return {
        f"{row.contig}:{row.position}:{row.ref}:{row.alt}": (
            row.status,
            row.reports[0].known_id if row.reports else row.reason,
        )
        for row in warehouse.read(NOVELTY).collect()
    }


def test_case_07_indels_are_known_wherever_they_are_written(
    spark: SparkSession, cases: Path, tmp_path: Path
) -> None:
    case = cases / "07_leftalign_known_sites"
    expected = json.loads((case / "expected.json").read_text())
    fasta = write_bytes(tmp_path / "ref.fa", (case / "ref.fa").read_bytes())
    pysam.faidx(str(fasta))
    overrides = [f"genome.reference_fasta={fasta}"]
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path / "w"), overrides=overrides))
    found = flagged(warehouse, case / "input.vcf", case / "known.vcf", str(fasta))
    assert len(found) == len(expected["flags"])
    for flag in expected["flags"]:
        status, ids = found[flag.get("normal_form", flag["input"])]
        assert (status == "reported") == flag["in_known"]
        for name in [*flag.get("rsid_contains", []), *([flag["rsid"]] if "rsid" in flag else [])]:
            assert name in str(ids).split(";")
    novel = [status for status, _ in found.values() if status != "reported"]
    assert novel == ["known_site_new_allele"] * expected["n_novel"]


# A record of the cohort, and what is to be said of it; the catalogue spells contigs by accession.
KIN = (
    ("1 100 . A g", ("reported", "rs1")),  # alleles that differ in case alone
    ("chr1 200 . A T", ("reported", "rs2")),  # the second ALT of a row
    ("chr1 300 . CAA CA", ("not_assessable", "not_aligned")),  # without a FASTA it may stand elsewhere
    ("chr1 400 . N A", ("not_assessable", "ambiguous_base")),
    ("chr1 500 . A <DEL>", ("not_assessable", "symbolic")),
    ("chr1 600 . A A[chr2:10[", ("not_assessable", "breakend")),
    ("chr1 700 . A C", ("known_site_new_allele", None)),
    ("chr1 800 . A C", ("unreported", None)),
    ("chr2 100 . A C", ("not_assessable", "not_covered")),
)
KNOWN = (
    "NC_000001.11 100 rs1 a G",
    "NC_000001.11 200 rs2 A C,T",
    "NC_000001.11 400 rs3 N A",
    "NC_000001.11 500 rs4 A <DEL>",
    "NC_000001.11 700 rs5 A G",
)


def sites(path: Path, records: list[str]) -> Path:
    rows = ["\t".join([*record.split(" "), ".", ".", "."]) for record in records]
    return write_bytes(path, "\n".join(["##fileformat=VCFv4.2", "\t".join(FIXED), *rows]) + "\n")


def test_kin_of_case_07(warehouse: Warehouse, tmp_path: Path) -> None:
    cohort = sites(tmp_path / "cohort.vcf", [record for record, _ in KIN])
    found = flagged(warehouse, cohort, sites(tmp_path / "known.vcf", list(KNOWN)), "GRCh38")
    for record, expected in KIN:
        contig, position, _, ref, alt = record.split(" ")
        if ref == "CAA":
            ref, alt = "CA", "C"
        name = f"chr{contig.removeprefix('chr')}:{position}:{ref}:{alt.upper()}"
        assert found[name if "[" not in alt else f"chr1:{position}:{ref}:{alt}"] == expected, record
    other = sites(tmp_path / "other.vcf", ["NC_000001.10 100 rs1 A G"])
    with pytest.raises(BuildMismatch, match="GRCh37"):
        ingest_catalogue(warehouse, [str(other)], name="other", version="1", build="GRCh38")
    with pytest.raises(BuildMismatch, match="holds build GRCh38, the source is GRCh37"):
        ingest_catalogue(warehouse, [str(other)], name="other", version="1", build="GRCh37")
    assert [row.catalogue for row in warehouse.rows(CATALOGUES)] == ["known"]


def test_case_16_spellings_of_contigs_meet(warehouse: Warehouse, cases: Path) -> None:
    case = cases / "16_contig_names_and_build"
    expected = json.loads((case / "expected.json").read_text())["calls x known"]
    found = flagged(warehouse, case / "calls.vcf", case / "known.vcf", "GRCh38")
    by_status = {name: status for name, (status, _) in found.items()}
    assert sorted(name for name, status in by_status.items() if status == "reported") == sorted(
        expected["known"]
    )
    assert [name for name, status in by_status.items() if status == "not_assessable"] == expected[
        "not_assessed"
    ]
    assert len(by_status) == len(expected["known"]) + len(expected["not_assessed"])
