"""A ready annotation table in the place of an annotator."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pysam
import pytest
from pyspark.sql import SparkSession

from allofus_spark.consequences import import_annotation
from allofus_spark.errors import BadSource
from allofus_spark.settings import load_settings
from allofus_spark.tables import CONSEQUENCES, Warehouse
from tests.consequences.cohort import ingest_alleles, rows_in
from tests.consequences.genome import write_fasta

HEADER = [
    "vid",
    "contig",
    "position",
    "ref_allele",
    "alt_allele",
    "gene_symbol",
    "gene_id",
    "transcript",
    "consequence",
    "aa_change",
    "dna_change_in_transcript",
    "is_canonical_transcript",
]
LINES = [
    ["v", "one", "24", "A", "G", "GEN1", "G1", "T2", "missense_variant", "p.K2E", "T2:c.4A>G", "true"],
    [
        "v",
        "one",
        "24",
        "A",
        "G",
        "GEN1",
        "G1",
        "T1",
        '["missense_variant","splice_region_variant"]',
        "",
        "",
        "",
    ],
    # The second as VEP writes it, beside the first of the same transcript.
    ["v", "one", "24", "A", "G", "GEN1", "G1", "T1", "NMD_transcript_variant&odd_variant", "p.K2E", "", ""],
    # Not in normal form: ATGG>A with a base too many at each end, on a contig spelled otherwise.
    ["v", "chrone", "25", "AATGGT", "AAT", "GEN1", "G1", "T1", "inframe_deletion", "p.W3del", "", ""],
    ["v", "one", "2", "A", "T", "", "", "", "", "", "", ""],
    ["v", "two", "24", "A", "C", "", "", "T9", "nonsense", "", "", ""],
    ["v", "two", "30", "T", "A", "GEN1", "G1", "T1", "stop_lost", "", "", ""],
]
COHORT = [("one", 24, "A", "G"), ("one", 26, "ATGG", "A"), ("one", 2, "A", "T"), ("two", 24, "A", "C")]


def text_of(lines: list[list[str]], header: list[str] = HEADER) -> str:
    return "".join("\t".join(line) + "\n" for line in [header, *lines])


@pytest.fixture(scope="module")
def cohort(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, Path]]:
    folder = tmp_path_factory.mktemp("table")
    fasta = write_fasta(folder)
    overrides = [f"genome.reference_fasta={fasta}"]
    warehouse = Warehouse(spark, load_settings(warehouse=str(folder / "w"), overrides=overrides))
    ingest_alleles(warehouse, fasta, folder, [*COHORT, ("two", 35, "A", "C")])
    return warehouse, folder


def test_lines_become_rows_of_the_cohorts_alleles(cohort: tuple[Warehouse, Path]) -> None:
    warehouse, folder = cohort
    table = folder / "vat [1].tsv.gz"
    table.write_bytes(gzip.compress(text_of(LINES).encode()))
    counters = import_annotation(warehouse, str(table), annotator="vep", version="VEP 113")
    found = [
        (row["contig"], row["position"], row["alt"], row["transcript_id"], row["terms"], row["aa_change"])
        for row in rows_in(warehouse, "vep")
    ]
    nmd = ["missense_variant", "splice_region_variant", "NMD_transcript_variant"]
    assert found == [
        ("one", 2, "T", None, ["intergenic_variant"], None),
        ("one", 24, "G", "T1", nmd, "p.K2E"),
        ("one", 24, "G", "T2", ["missense_variant"], "p.K2E"),
        ("one", 26, "A", "T1", ["inframe_deletion"], "p.W3del"),
    ]
    assert [row["is_most_severe"] for row in rows_in(warehouse, "vep")] == [True, True, False, True]
    assert {row["annotation_version"] for row in rows_in(warehouse, "vep")} == {"VEP 113"}
    assert {
        name: counters[name]
        for name in ("lines_read", "lines_of_other_alleles", "unknown_terms", "lines_without_known_term")
    } == {"lines_read": 7, "lines_of_other_alleles": 1, "unknown_terms": 2, "lines_without_known_term": 1}
    assert (counters["variants_annotated"], counters["variants_not_in_table"]) == (3, 2)
    assert (counters["variants_coding"], counters["variants_intergenic"]) == (2, 1)

    # The same lines in another file, order and packing: nothing to do.
    again = folder / "again.tsv.bgz"
    with pysam.BGZFile(str(again), "wb") as file:
        file.write(text_of(LINES[::-1]).encode())
    state = warehouse.state(CONSEQUENCES)
    counters = import_annotation(warehouse, str(again), annotator="vep", version="VEP 113")
    assert counters["variants_kept"] == 5
    assert warehouse.state(CONSEQUENCES) == state


def test_a_vid_stands_for_the_allele(cohort: tuple[Warehouse, Path]) -> None:
    warehouse, folder = cohort
    table = folder / "vid.tsv"
    table.write_text(
        text_of([["one-24-A-G", "T1", "missense_variant"]], ["vid", "transcript", "consequence"])
    )
    import_annotation(warehouse, str(table), annotator="by vid", version="1")
    (row,) = rows_in(warehouse, "by vid")
    assert (row["position"], row["terms"], row["gene_id"]) == (24, ["missense_variant"], None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"table\.tsv: cannot be read: .*"),
        (text_of([]), r"0 of 0 lines have no contig"),
        (
            text_of(LINES, ["x", *HEADER[1:4], "alt", *HEADER[5:]]),
            "columns are missing: alt_allele; it has x, ",
        ),
        (
            text_of([*LINES, ["v", "one", "p", "A", "G", "", "", "T", "stop_lost"]]),
            "1 of 8 lines have no contig",
        ),
        (b"\x1f\x8b\x08\x00 and no more", r"table\.tsv"),
    ],
    ids=["absent", "empty", "no column", "no position", "not text"],
)
def test_a_bad_table_is_refused(
    cohort: tuple[Warehouse, Path], tmp_path: Path, text: str | bytes | None, message: str
) -> None:
    warehouse, _ = cohort
    table = tmp_path / "table.tsv"
    if text is not None:
        table.write_bytes(text.encode() if isinstance(text, str) else text)
    state = warehouse.state(CONSEQUENCES)
    with pytest.raises(BadSource, match=message):
        import_annotation(warehouse, str(table), annotator="vep 2", version="1")
    assert warehouse.state(CONSEQUENCES) == state


def test_a_cut_table_and_the_name_of_csq_are_refused(cohort: tuple[Warehouse, Path], tmp_path: Path) -> None:
    warehouse, _ = cohort
    table = tmp_path / "cut.tsv.gz"
    table.write_bytes(gzip.compress(text_of(LINES * 50).encode())[:-20])
    with pytest.raises(BadSource, match=r"cut\.tsv\.gz: cannot be read: .*; fetch it again"):
        import_annotation(warehouse, str(table), annotator="vep 2", version="1")
    with pytest.raises(BadSource, match="csq is the name of bcftools csq's rows"):
        import_annotation(warehouse, str(table), annotator="csq", version="1")
