"""A scan against known associations: every status, every orientation, and the sums."""

from __future__ import annotations

import io
import math
from pathlib import Path

import pytest
from rich.console import Console

from allofus_spark.cli.replication import draw_replication
from allofus_spark.errors import BadSource, NotFound
from allofus_spark.replication import ingest_known_associations, replicate
from allofus_spark.settings import load_settings
from allofus_spark.tables import REPLICATION_SUMMARY, REPLICATIONS, Warehouse
from tests.replication.maps import write_frequencies, write_map
from tests.replication.scans import Fit, Scanned, put_cohort, put_scan

PLAIN, LOST, RARE, TURNED = (
    ("chr1", 1000, "A", "G"),
    ("chr1", 2000, "A", "G"),
    ("chr1", 3000, "A", "G"),
    ("chr2", 30_000_000, "C", "T"),
)
REF_RISK = ("chr3", 500, "G", "A")
PALINDROMES = [("chr4", 100 * n, "T", "A") for n in range(1, 5)]
UNSEEN = ("chr5", 700, "A", "G")
T2D, GOUT, LDL, FEW, UNFIT = "250.2", "274.1", "ldl", "008", "090"

LINES = {
    "plain": {"SNP_hg38": "1:1000:A:G"},
    "ref_risk": {"SNP_hg38": "3:500:G:A", "risk_allele_dir": "ref", "risk_allele": "G"},
    # The risk allele's letter is of the other strand: the direction alone tells.
    "odd_letter": {"SNP_hg38": "3:500:G:A", "risk_allele_dir": "ref", "risk_allele": "C", "phecode": GOUT},
    "turned": {"SNP_hg38": "2:30000000:T:C", "risk_allele_dir": "alt"},
    "wrong_way": {"SNP_hg38": "1:1000:A:G", "phecode": GOUT},
    "in_no_callset": {"SNP_hg38": "1:1000:A:T"},
    "not_scanned": {"SNP_hg38": "1:1000:A:G", "phecode": "999"},
    "quantity": {"SNP_hg38": "1:1000:A:G", "phecode": LDL},
    "few": {"SNP_hg38": "1:1000:A:G", "phecode": FEW, "category_string": ""},
    "unfit": {"SNP_hg38": "1:1000:A:G", "phecode": UNFIT},
    "lost": {"SNP_hg38": "1:2000:A:G"},
    "rare": {"SNP_hg38": "1:3000:A:G"},
    "swapped_palindrome": {"SNP_hg38": "4:100:A:T"},
    "strand_palindrome": {"SNP_hg38": "4:200:A:T"},
    "half_palindrome": {"SNP_hg38": "4:300:A:T"},
    "unmapped_palindrome": {"SNP_hg38": "4:400:A:T"},
}
FREQUENCIES = {
    "1:1000:A:G": {"eur": 0.4, "all": 0.35},
    "3:500:G:A": {"eur": 0.9, "all": 0.8},
    "4:100:A:T": {"eur": 0.8, "all": 0.8},
    "4:200:A:T": {"eur": 0.2, "all": 0.2},
    "4:300:A:T": {"eur": 0.45, "all": 0.45},
}


def fits(phenotype: str, allele, beta: float, neg_log10_p: float = 5.0, af: float = 0.3) -> list[Fit]:
    return [Fit(allele, phenotype, group, beta, 0.1, neg_log10_p, af) for group in ("eur", "all")]


FITS = [
    *fits(T2D, PLAIN, math.log(1.4)),
    *fits(T2D, REF_RISK, math.log(0.5)),
    *fits(GOUT, REF_RISK, math.log(0.5), neg_log10_p=1.2),
    *fits(T2D, TURNED, math.log(0.8), af=0.15),
    *fits(GOUT, PLAIN, math.log(0.7), neg_log10_p=9),
    *(Fit(RARE, T2D, group, status="too_rare") for group in ("eur", "all")),
    *(test for allele in PALINDROMES for test in fits(T2D, allele, math.log(1.3), af=0.2)),
]
SCANNED = [
    item
    for group in ("eur", "all")
    for item in (
        Scanned(T2D, group, 400, 1600),
        Scanned(GOUT, group, 150, 1850),
        Scanned(LDL, group, None, None, kind="quantitative"),
        Scanned(FEW, group, 99, 1900),
        Scanned(UNFIT, group, 300, 0, status="too_few_controls"),
    )
]


@pytest.fixture(scope="module")
def done(spark, tmp_path_factory):
    folder = tmp_path_factory.mktemp("replicate")
    warehouse = Warehouse(spark, load_settings(warehouse=str(folder / "warehouse")))
    put_cohort(warehouse, [PLAIN, LOST, RARE, TURNED, REF_RISK, *PALINDROMES, UNSEEN])
    put_scan(warehouse, FITS, SCANNED, definition="Simulated by the tests")
    lines = [{"assoc_ID": name, **line} for name, line in LINES.items()]
    ingest_known_associations(
        warehouse,
        write_map(folder / "map.csv", lines),
        name="made_up",
        version="1",
        frequencies=write_frequencies(folder / "frequencies.csv", FREQUENCIES),
    )
    found = replicate(warehouse, scan="default")
    rows = {(row.association_id, row.ancestry): row for row in warehouse.read(REPLICATIONS).collect()}
    return warehouse, found, rows


def test_every_association_has_a_row_in_every_ancestry_of_the_scan(done):
    _, _, rows = done
    assert set(rows) == {(name, group) for name in LINES for group in ("eur", "all")}


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("plain", "tested"),
        ("ref_risk", "tested"),
        ("turned", "tested"),
        ("in_no_callset", "not_in_callset"),
        ("not_scanned", "phenotype_not_scanned"),
        ("quantity", "not_binary"),
        ("few", "too_few_cases"),
        ("unfit", "phenotype_not_scanned"),
        ("lost", "variant_not_scanned"),
        ("rare", "not_tested"),
        ("swapped_palindrome", "tested"),
        ("strand_palindrome", "tested"),
        ("half_palindrome", "ambiguous_strand"),
        ("unmapped_palindrome", "ambiguous_strand"),
    ],
)
def test_the_status_of(done, name: str, status: str):
    _, _, rows = done
    assert {rows[name, group].status for group in ("eur", "all")} == {status}
    assert rows[name, "eur"].not_tested_because == ("too_rare" if name == "rare" else None)
    assert (rows[name, "eur"].power is None) == (status != "tested")


@pytest.mark.parametrize(
    ("name", "matched", "odds_ratio", "frequency", "frequency_of", "is_replicated"),
    [
        ("plain", "as_written", 1.4, 0.4, "map", True),
        ("ref_risk", "as_written", 2.0, 0.1, "map", True),
        # p of 0.063
        ("odd_letter", "as_written", 2.0, 0.1, "map", False),
        # Key T>C with risk C; the callset has C>T, of which 0.8 is protective, and no frequency in the map.
        ("turned", "swapped", 1.25, 0.85, "cohort", True),
        ("wrong_way", "as_written", 0.7, 0.4, "map", False),
        # Key A>T with T at 0.8; the callset's A, as alt, at 0.2: ref and alt are swapped.
        ("swapped_palindrome", "swapped", 1 / 1.3, 0.8, "map", False),
        # Key A>T with T at 0.2; the callset's alt at 0.2 is that T, of the other strand.
        ("strand_palindrome", "other_strand", 1.3, 0.2, "map", True),
    ],
)
def test_orientation_and_frequency_of(
    done, name, matched, odds_ratio, frequency, frequency_of, is_replicated
):
    row = done[2][name, "eur"]
    assert (row.matched, row.frequency_of, row.is_replicated) == (matched, frequency_of, is_replicated)
    assert row.odds_ratio == pytest.approx(odds_ratio)
    assert row.risk_allele_frequency == pytest.approx(frequency)
    half_width = 1.959963984540054 * 0.1
    assert row.lower95 == pytest.approx(odds_ratio * math.exp(-half_width))
    assert row.upper95 == pytest.approx(odds_ratio * math.exp(half_width))


def test_an_interval_lies_over_below_or_above_the_known_one(done):
    rows = done[2]
    # Known: 1.3 to 1.7. Here: 1.15 to 1.70, 0.58 to 0.85, 1.64 to 2.43.
    assert rows["plain", "eur"].interval == "overlaps"
    assert rows["wrong_way", "eur"].interval == "below"
    assert rows["ref_risk", "eur"].interval == "overlaps"


def test_rows_stand_under_the_alleles_of_the_callset(done):
    turned, absent = done[2]["turned", "eur"], done[2]["in_no_callset", "eur"]
    assert (turned.contig, turned.bin, turned.position, turned.ref, turned.alt) == (
        "chr2",
        3,
        30_000_000,
        "C",
        "T",
    )
    assert (absent.ref, absent.alt) == ("A", "T")


def test_the_summary_is_the_sum_of_the_rows(done):
    warehouse, found, rows = done
    own = [row for row in rows.values() if row.ancestry == "eur"]
    tested = [row for row in own if row.status == "tested"]
    by_place = {
        (row.ancestry, row.known_in, row.category): row
        for row in warehouse.read(REPLICATION_SUMMARY).collect()
    }
    summary = by_place["eur", "same", "all"]
    powered = [row for row in tested if row.power >= 0.8]
    assert (summary.known, summary.tested) == (len(LINES), len(tested))
    assert (summary.powered, summary.replicated) == (len(powered), sum(row.is_replicated for row in tested))
    assert summary.powered_replicated == sum(row.is_replicated for row in powered)
    assert summary.expected == pytest.approx(sum(row.power for row in tested))
    assert summary.rr_all == pytest.approx(summary.replicated / len(tested))
    assert summary.aer == pytest.approx(summary.replicated / summary.expected)
    assert summary.variants_tested == len({(row.contig, row.position) for row in tested})
    assert (summary.phenotypes_tested, summary.phenotypes_replicated) == (2, 1)
    # Found in Europeans: pooled people count them among those of any ancestry alone.
    assert by_place["all", "any", "all"].known == len(LINES)
    assert ("all", "same", "all") not in by_place
    assert by_place["eur", "any", "none"].known == 1
    assert found.by_status["tested"] == 2 * len(tested)


def test_phenotypes_that_say_that_they_are_simulated_are_named(done):
    _, found, _ = done
    assert found.simulated_sets == ["made_up"]
    page = Path(found.picture).read_text()
    assert "The phenotypes of made_up are simulated" in page


def test_the_screen_gives_rates_by_ancestry_and_what_was_not_tested(done):
    _, found, rows = done
    text = io.StringIO()
    draw_replication(found, Console(file=text, width=150))
    lines = text.getvalue().splitlines()
    assert lines[0] == "The phenotypes of made_up are simulated: what follows is no finding."
    (eur, *_) = (line.split() for line in lines if line.strip().startswith("eur"))
    tested = [row for row in rows.values() if (row.ancestry, row.status) == ("eur", "tested")]
    seen = sum(row.is_replicated for row in tested)
    assert eur[:3] == ["eur", str(len(LINES)), str(len(tested))]
    assert eur[4:7] == [str(seen), f"{100 * seen / len(tested):.1f}", "%"]
    (not_tested,) = (line for line in lines if line.startswith("Not tested"))
    assert "2 not in callset" in not_tested
    assert "4 ambiguous strand" in not_tested


def test_a_second_run_gives_the_same_rows(done):
    warehouse, _, rows = done
    replicate(warehouse, scan="default", map_name="made_up", map_version="1")
    again = {(row.association_id, row.ancestry): row for row in warehouse.read(REPLICATIONS).collect()}
    assert again == rows


def test_a_scan_that_does_not_store_its_tests_is_refused(done):
    warehouse, _, _ = done
    thin = [item._replace(n_more=5) if item.phenotype == T2D else item for item in SCANNED]
    put_scan(warehouse, FITS, thin, name="thin")
    with pytest.raises(
        BadSource, match=r"no row for 2 known .* 2 of their phenotypes \(250.2 in all, 250.2 in eur\)"
    ):
        replicate(warehouse, scan="thin")
    assert warehouse.read(REPLICATIONS).where("scan = 'thin'").count() == 0


def test_a_scan_or_map_that_is_not_there_is_named_with_those_that_are(done):
    warehouse, _, _ = done
    with pytest.raises(NotFound, match="no scan other: scans are default"):
        replicate(warehouse, scan="other")
    with pytest.raises(NotFound, match=r"no map pgrm 2: name one .* there are made_up 1"):
        replicate(warehouse, scan="default", map_name="pgrm", map_version="2")
