"""``allofus variant``: what is found by which name, and how it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pyspark.sql import SparkSession

from allofus_spark.cli import main
from allofus_spark.cli.options import clear_errors
from allofus_spark.cli.variant import plain
from allofus_spark.errors import BuildMismatch, NotFound
from allofus_spark.genome import load_build
from allofus_spark.query import VariantList, VariantReport, find_variant
from allofus_spark.query.asked import read_allele
from allofus_spark.tables import KNOWN_VARIANTS, RowsWrite, Warehouse, start_run
from tests.variant_tables import BIN_WIDTH, GROUPS, Allele, make_warehouse

from .conftest import BARE

LONG = "A" * 150
COMT = Allele(
    "chr22",
    19_963_748,
    "G",
    "A",
    counts={"afr": (30, 100), "eur": (50, 100), "eas": (0, 100), "mid": (0, 0)},
    sites={"c1": [], "c2": None, "old": ["LowQual", "s50"]},
    status="reported",
    reports=[("dbsnp", "rs4680;rs165688"), ("gnomad", None)],
    transcripts=[
        ("ENST00000361682", "COMT", ["missense_variant"], "158V>158M"),
        ("ENST00000678868", "COMT", ["intron_variant"], None),
    ],
)
OTHER = Allele(
    "chr22",
    19_963_748,
    "G",
    "C",
    counts={"afr": (1, 100)},
    status="unreported",
    transcripts=[("ENST00000361682", "COMT", ["frameshift_variant"], "158V>158L")],
)
# Retinoschisin: a gene whose name looks like an rs number.
DELETION = Allele(
    "chr22",
    20_000_100,
    "AC",
    "A",
    "deletion",
    counts={"eur": (2, 100)},
    transcripts=[("ENST2", "RS1", ["intron_variant"], None)],
)
INSERTION = Allele("chrX", 5, "T", f"T{LONG}", "insertion", transcripts=[(None, None, [], None)])
SYMBOLIC = Allele("chrX", 900, "T", "<INS:ME:ALU>", "symbolic", status="not_assessable")
FAR = Allele(
    "chrX",
    25_000_000,
    "T",
    "C",
    counts={"eur": (3, 1_000)},
    status="reported",
    reports=[("dbsnp", "rs165688")],
    transcripts=[("ENST00000000009", "C9orf72", ["intron_variant"], None)],
)
# One more allele of the gene at every second base.
INTRON = ("ENST1", "COMT", ["intron_variant"], None)
MORE = [Allele("chr22", 19_964_000 + 2 * place, "T", "G", transcripts=[INTRON]) for place in range(5)]
KNOWN = [
    ("dbsnp", "156", "chr22", 20_000_100, "AC", "A", "rs99"),
    ("dbsnp", "156", "chr22", 19_963_748, "G", "T", "rs100;rs98"),
    ("dbsnp", "156", "chr22", 19_963_748, "G", "A", "rs4680;rs165688"),
    ("dbsnp", "156", "chrX", 25_000_000, "T", "C", "rs165688"),
    ("dbsnp", "156", "chr1", 77, "G", "T", "rs101"),
    # An earlier version, and a catalogue of another set: nobody asks them.
    ("dbsnp", "155", "chr22", 19_963_748, "G", "C", "rs4680;rs9"),
    ("clinvar", "1", "chr22", 19_963_748, "G", "C", "rs9"),
]


@pytest.fixture(scope="module")
def alleles_held(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    root = str(tmp_path_factory.mktemp("variant") / "w")
    warehouse = make_warehouse(spark, root, [COMT, OTHER, DELETION, INSERTION, SYMBOLIC, FAR, *MORE])
    known = [
        (*version, contig, position // BIN_WIDTH, position, ref, alt, ids)
        for *version, contig, position, ref, alt, ids in KNOWN
    ]
    with start_run(warehouse, "known") as run:
        run.write(RowsWrite(KNOWN_VARIANTS, known))
    return warehouse


@pytest.fixture
def ask(alleles_held: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Any:
    @contextmanager
    def opened(*_: object) -> Iterator[Warehouse]:
        with clear_errors():
            yield alleles_held

    monkeypatch.setattr("allofus_spark.cli.variant.open_warehouse", opened)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["variant", *arguments], catch_exceptions=False)

    return run


def report_of(warehouse: Warehouse, text: str) -> VariantReport:
    found = find_variant(warehouse, text, most=10)
    assert isinstance(found, VariantReport)
    return found


def list_of(warehouse: Warehouse, text: str, most: int = 10) -> VariantList:
    found = find_variant(warehouse, text, most=most)
    assert isinstance(found, VariantList)
    return found


@pytest.mark.parametrize(
    ("text", "allele"),
    [
        ("22-19963748-G-A", COMT),
        ("chr22:19963748:g:a", COMT),
        ("CHR22 19,963,748 G>A", COMT),
        ("NC_000022.11:19963748:G:A", COMT),
        ("22_19963747_TG_TA", COMT),
        ("22-20000100-ACT-AT", DELETION),
        (INSERTION.id, INSERTION),
        (f"X-5-T-T{LONG}", INSERTION),
        ("chrX:900:t:<INS:ME:ALU>", SYMBOLIC),
        ("rs4680", COMT),
        ("RS99", DELETION),
    ],
)
def test_a_variant_is_found_by_every_name(text: str, allele: Allele, alleles_held: Warehouse) -> None:
    report = report_of(alleles_held, text)
    assert (report.variant_id, report.contig, report.position) == (allele.id, allele.contig, allele.position)
    assert (report.ref, report.alt, report.variant_type) == (allele.ref, allele.alt, allele.kind)


def test_contigs_with_signs_in_their_names_are_read_whole() -> None:
    asked = read_allele("HLA*01:01:01:01-7-A-C", load_build("GRCh38"))
    assert asked is not None
    assert (asked.contig, asked.position, asked.ref, asked.alt) == ("HLA*01:01:01:01", 7, "A", "C")


@pytest.mark.parametrize(
    "text", ["COMT", "1-,,,-A-C", "1-1,00-A-C", f"1-{'9' * 5000}-A-C", "1-\u0665-A-C", ""]
)
def test_what_names_no_allele_is_not_one(text: str) -> None:
    assert read_allele(text, load_build("GRCh38")) is None


@pytest.mark.parametrize("rows", ["0", "-1"])
def test_a_list_has_a_line_at_the_least(rows: str, ask: Any) -> None:
    answer = ask("COMT", "--rows", rows)
    assert answer.exit_code == 2
    assert f"{rows} is not in the range 1<=x<=100000" in answer.output


def test_the_report_says_what_the_tables_say(alleles_held: Warehouse) -> None:
    report = report_of(alleles_held, "22-19963748-G-A")
    assert report.frequencies is not None
    assert list(report.frequencies) == ["overall", "overall_xx", "overall_xy", *GROUPS]
    for group in ("overall", *GROUPS):
        assert report.frequencies[group] == COMT.frequency(group)
    assert report.highest is not None
    assert report.highest["max_af_group"] == "eur"
    assert report.rs_ids == ["rs165688", "rs4680"]
    assert report.versions == {"dbsnp": "156", "gnomad": "4.1"}
    assert report.novelty is not None
    assert report.novelty["status"] == "reported"
    assert report.consequences is not None
    assert [row["transcript_id"] for row in report.consequences] == ["ENST00000361682", "ENST00000678868"]
    filters = {site["callset_id"]: (site["filters"], site["retired_by"]) for site in report.sites}
    assert filters == {"c1": ([], None), "c2": (None, None), "old": (["LowQual", "s50"], "c1")}


def test_an_rs_number_of_several_alleles_is_a_list(alleles_held: Warehouse) -> None:
    found = list_of(alleles_held, "rs165688")
    assert (found.asked, found.total) == ("rs165688", 2)
    assert [item.variant_id for item in found.variants] == [COMT.id, FAR.id]
    assert [item.term for item in found.variants] == ["missense_variant", "intron_variant"]


def test_a_gene_is_a_list_by_impact(alleles_held: Warehouse) -> None:
    found = list_of(alleles_held, "COMT", most=3)
    assert found.total == 2 + len(MORE)
    assert [item.variant_id for item in found.variants] == [OTHER.id, COMT.id, MORE[0].id]
    first, second, _ = found.variants
    assert (first.term, first.aa_change, first.ac, first.an, first.status) == (
        "frameshift_variant",
        "158V>158L",
        1,
        100,
        "unreported",
    )
    assert (second.af, second.status) == (80 / 300, "reported")
    assert [item.variant_id for item in list_of(alleles_held, "c9ORF72").variants] == [FAR.id]
    assert list_of(alleles_held, "ENSG-C9orf72").total == 1
    assert [item.variant_id for item in list_of(alleles_held, "RS1").variants] == [DELETION.id]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "22-19963748-G-T",
            "22-19963748-G-T is not in the warehouse; other alleles there: 22-1996",
        ),
        ("22-19963749-G-T", "22-19963749-G-T is not in the warehouse; it has no allele at chr22:19963749"),
        ("1-5-G-T", "no variant on contig chr1; contigs: chr22, chrX"),
        (
            "rs100",
            "rs100 is 22-19963748-G-T in dbsnp 156, and not in this cohort, which has other",
        ),
        ("rs101", "rs101 is 1-77-G-T in dbsnp 156, and not in this cohort, which has no allele there"),
        ("rs9", "rs9 is not in the warehouse: neither in dbsnp 156, gnomad 4.1, nor an ID of a callset"),
        ("BRCA2", "no variant has a consequence for a gene BRCA2 .annotator csq."),
    ],
)
def test_what_is_not_there_is_said_with_what_is(text: str, message: str, alleles_held: Warehouse) -> None:
    with pytest.raises(NotFound, match=message):
        find_variant(alleles_held, text, most=10)


def test_a_contig_of_another_build_is_refused(alleles_held: Warehouse) -> None:
    with pytest.raises(BuildMismatch, match="GRCh37"):
        find_variant(alleles_held, "NC_000022.10-5-G-A", most=10)


def test_one_screen(ask: Any) -> None:
    answer = ask("22-19963748-G-A")
    assert answer.exit_code == 0
    lines = {line.split()[0]: line.split() for line in answer.stdout.splitlines() if line.strip()}
    assert lines["eur"][1:5] == ["50", "100", "0.5", "█" * 24]
    assert lines["afr"][1:4] == ["30", "100", "0.3"]
    assert 13 <= len(lines["afr"][4]) <= 15
    assert lines["eas"][1:5] == ["0", "100", "0", "0"]  # a frequency of 0 has no bar
    assert lines["mid"][1:] == ["0", "not", "called"]
    assert lines["dbsnp"] == ["dbsnp", "156", "has", "the", "allele,", "as", "rs4680;rs165688"]
    assert lines["COMT"][:3] == ["COMT", "ENST00000678868", "protein_coding"]
    assert lines["c2"][2:4] == ["not", "applied"]
    for text in ("158V>158M", "rs165688", "Novelty against catalogue set default: reported", "LowQual, s50"):
        assert text in answer.stdout


def test_json_is_one_object_that_says_the_same(ask: Any, alleles_held: Warehouse) -> None:
    answer = json.loads(ask("22-19963748-G-A", "--json").stdout)
    assert answer["frequencies"]["eur"]["af"] == 0.5
    assert answer["frequencies"]["mid"]["af"] is None
    assert answer["sites"][0]["callset_date"] == "2026-01-01"
    gene = json.loads(ask("COMT", "--json", "--rows", "2").stdout)
    assert (gene["total"], [item["variant_id"] for item in gene["variants"]]) == (7, [OTHER.id, COMT.id])


def test_numbers_that_json_lacks_are_text() -> None:
    assert plain({"qual": [float("inf"), 1.5, (float("nan"), None)]}) == {"qual": ["inf", 1.5, ["nan", None]]}


def test_no_digit_is_cut_on_a_narrow_terminal(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert "19,963,748" in ask("22-19963748-G-A").stdout


def test_a_list_says_how_many_more(ask: Any) -> None:
    answer = ask("COMT", "--rows", "2")
    assert "gene COMT: 7 variants" in answer.stdout
    assert "5 more variants; --rows shows more" in answer.stdout


def test_what_is_not_found_ends_with_a_sentence(ask: Any) -> None:
    answer = ask("22-19963748-G-T")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr.startswith("error: 22-19963748-G-T is not in the warehouse; other alleles")


def test_before_novelty_and_consequences_a_variant_is_shown(bare: Warehouse) -> None:
    report = report_of(bare, BARE[0].id)
    assert (report.novelty, report.consequences, report.versions, report.rs_ids) == (None, None, {}, [])
    with pytest.raises(NotFound, match="genes cannot be looked up"):
        find_variant(bare, "COMT", most=10)
    with pytest.raises(NotFound, match="rs4680 is not in the warehouse: neither in a catalogue"):
        find_variant(bare, "rs4680", most=10)
