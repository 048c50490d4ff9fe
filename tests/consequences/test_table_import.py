"""A ready annotation table in the place of an annotator."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pyarrow as pa
import pysam
import pytest
from pyspark.sql import SparkSession

from allofus_spark.bgzip import END_OF_FILE
from allofus_spark.consequences import import_annotation
from allofus_spark.consequences.table_lines import SAID_NAMES
from allofus_spark.consequences.table_rows import rows_of_table
from allofus_spark.errors import BadSource
from allofus_spark.settings import load_settings
from allofus_spark.tables import CONSEQUENCES, Warehouse
from tests.consequences.cohort import ingest_alleles, rows_in
from tests.consequences.genome import batch_of, write_fasta

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
        for name in ("lines_read", "lines_refused", "unknown_terms", "lines_without_known_term")
    } == {"lines_read": 7, "lines_refused": 0, "unknown_terms": 2, "lines_without_known_term": 1}
    assert (counters["variants_annotated"], counters["variants_not_in_table"]) == (3, 2)
    assert (counters["variants_coding"], counters["variants_intergenic"]) == (2, 1)


def test_a_table_is_read_again_where_it_has_changed(cohort: tuple[Warehouse, Path]) -> None:
    warehouse, folder = cohort
    table = folder / "again.tsv.bgz"

    def take(lines: list[list[str]]) -> dict[str, int]:
        with pysam.BGZFile(str(table), "wb") as file:
            file.write(text_of(lines).encode())
        return import_annotation(warehouse, str(table), annotator="again", version="1")

    assert take(LINES)["variants_annotated"] == 3
    state = warehouse.state(CONSEQUENCES)
    assert take(LINES)["variants_kept"] == 5
    assert warehouse.state(CONSEQUENCES) == state
    # Two lines more that are the same: an exclusive or of lines would not see them.
    assert take([*LINES, LINES[0], LINES[0]])["lines_read"] == 9


def test_odd_lines_are_counted_and_named(
    cohort: tuple[Warehouse, Path], caplog: pytest.LogCaptureFixture
) -> None:
    warehouse, folder = cohort
    long, short = [*LINES[0], "one too many"], ["one", "24"]
    table = folder / "odd.tsv"
    table.write_text(text_of([*LINES * 20, long, short]))
    with caplog.at_level("INFO"):
        counters = import_annotation(warehouse, str(table), annotator="odd", version="1")
    assert (counters["lines_read"], counters["lines_refused"]) == (142, 2)
    assert "2 of 142 lines are refused (2 with not 12 columns), such as: " in caplog.text
    assert "'one\\t24'" in caplog.text


def test_a_vid_stands_for_the_allele(cohort: tuple[Warehouse, Path]) -> None:
    warehouse, folder = cohort
    table = folder / "vid.tsv"
    vids = ["one-24-A-G", "HLA-A*01:01:01:01-24-A-G"]
    table.write_text(
        text_of([[vid, "T1", "missense_variant"] for vid in vids], ["vid", "transcript", "consequence"])
    )
    counters = import_annotation(warehouse, str(table), annotator="by_vid", version="1")
    assert (counters["lines_read"], counters["lines_refused"]) == (2, 0)
    (row,) = rows_in(warehouse, "by_vid")
    assert (row["position"], row["terms"], row["gene_id"]) == (24, ["missense_variant"], None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"table\.tsv: cannot be read: .*"),
        (text_of([]), r"0 of 0 lines are refused \(there is none\)"),
        (
            text_of(LINES, ["x", *HEADER[1:4], "alt", *HEADER[5:]]),
            "columns are missing: alt_allele; it has x, ",
        ),
        (
            text_of([*LINES, ["v", "one", "p", "A", "G", "", "", "T", "stop_lost", "", "", ""]]),
            r"1 of 8 lines are refused \(1 with no contig, whole-number position, ref_allele and alt_allele"
            r"\), more than the share of 0\.05 allowed; nothing was written\. Such as: 'v\\tone\\tp",
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
        import_annotation(warehouse, str(table), annotator="vep2", version="1")
    assert warehouse.state(CONSEQUENCES) == state


def test_a_cut_table_and_the_name_of_csq_are_refused(cohort: tuple[Warehouse, Path], tmp_path: Path) -> None:
    warehouse, _ = cohort
    table = tmp_path / "cut.tsv.gz"
    table.write_bytes(gzip.compress(text_of(LINES * 50).encode())[:-20])
    with pytest.raises(BadSource, match=r"cut\.tsv\.gz: cannot be read: .*; fetch it again"):
        import_annotation(warehouse, str(table), annotator="vep2", version="1")
    with pytest.raises(BadSource, match="csq is the name of bcftools csq's rows"):
        import_annotation(warehouse, str(table), annotator="csq", version="1")


def test_a_table_that_is_cut_between_blocks_is_refused(
    cohort: tuple[Warehouse, Path], tmp_path: Path
) -> None:
    warehouse, _ = cohort
    folder = tmp_path / "folder"
    folder.mkdir()
    table = folder / "cut.tsv.bgz"
    with pysam.BGZFile(str(table), "wb") as file:
        file.write(text_of(LINES).encode())
    table.write_bytes(table.read_bytes().removesuffix(END_OF_FILE))
    for path in (table, folder):
        with pytest.raises(
            BadSource, match=r"cut\.tsv\.bgz: truncated: the bgzip end-of-file block is missing"
        ):
            import_annotation(warehouse, str(path), annotator="vep2", version="1")


def line_of(transcript: str | None, consequence: str | None, gene: str | None) -> dict[str, str | None]:
    values = (transcript, consequence, f"id of {gene}" if gene else None, gene, None, None)
    return dict(zip(SAID_NAMES, values, strict=True))


def rows_said(*said: list[dict[str, str | None]]) -> list[tuple[object, ...]]:
    alleles = [("A", base) for base in "CGT"[: len(said)]]
    batch = batch_of("one", [(24, *allele) for allele in alleles])
    rows = rows_of_table(batch.append_column("said", pa.array(said))).to_pylist()
    return [
        tuple(row[name] for name in ("alt", "transcript_id", "gene_id", "gene_symbol", "terms"))
        for row in rows
    ]


def test_each_row_names_the_gene_of_its_own_line() -> None:
    intron, other, bare = (line_of("T1", "intron_variant", gene) for gene in ("GEN1", "GEN2", None))
    expected = {
        "GEN1": ("T1", "id of GEN1", "GEN1", ["intron_variant"]),
        "GEN2": ("T1", "id of GEN2", "GEN2", ["intron_variant"]),
        None: ("T1", None, None, ["intron_variant"]),
    }
    for order in permutations((intron, other, bare)):
        found = rows_said(*([line] for line in order))
        assert [row[1:] for row in found] == [expected[line["gene_symbol"]] for line in order]


def test_an_allele_with_a_transcript_is_not_intergenic_too() -> None:
    blank, hit = line_of(None, None, None), line_of("T1", "missense_variant", "GEN1")
    assert rows_said([blank, hit], [blank, blank], [blank, line_of("T1", "nonsense", None)]) == [
        ("C", "T1", "id of GEN1", "GEN1", ["missense_variant"]),
        ("G", None, None, None, ["intergenic_variant"]),
    ]
