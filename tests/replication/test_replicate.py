"""A scan against known associations: every status, every orientation, and the sums."""

from __future__ import annotations

import dataclasses
import io
import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from pyspark.sql import Row
from rich.console import Console

from allofus_spark.cli.replication import draw_replication
from allofus_spark.errors import BadSource
from allofus_spark.replication import Replication, replicate
from allofus_spark.tables import REPLICATION_SUMMARY
from tests.replication.made_up import FITS, GOUT, LINES, MAP, SCANNED, T2D, rows_of
from tests.replication.scans import put_scan


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


def plain_summary(rows: Iterable[Row]) -> dict[str, object]:
    """A row of replication_summary without its key."""
    rows = list(rows)
    tested = [row for row in rows if row.status == "tested"]
    powered = [row for row in tested if row.power >= 0.8]
    seen = [row for row in tested if row.neg_log10_p > -math.log10(0.05) and row.odds_ratio > 1]
    both = [row for row in powered if row in seen]
    expected = math.fsum(row.power for row in tested)
    return {
        "known": len(rows),
        "tested": len(tested),
        "powered": len(powered),
        "replicated": len(seen),
        "powered_replicated": len(both),
        "expected": pytest.approx(expected),
        "rr_all": pytest.approx(len(seen) / len(tested)) if tested else None,
        "rr_power": pytest.approx(len(both) / len(powered)) if powered else None,
        "aer": pytest.approx(len(seen) / expected) if tested else None,
        "variants_tested": len({(row.contig, row.position, row.ref, row.alt) for row in tested}),
        "variants_replicated": len({(row.contig, row.position, row.ref, row.alt) for row in seen}),
        "phenotypes_tested": len({row.phenotype_id for row in tested}),
        "phenotypes_replicated": len({row.phenotype_id for row in seen}),
    }


def test_the_summary_is_that_of_a_plain_restatement(done):
    cells = defaultdict(list)
    for row in done.rows.values():
        for known_in in ("any", "same") if row.ancestry == row.known_ancestry else ("any",):
            for category in ("all", row.category or "none"):
                cells[row.ancestry, known_in, category].append(row)
    assert {key for key in cells if key[0] == "eur"} == {
        ("eur", known_in, category)
        for known_in in ("any", "same")
        for category in ("all", "endocrine", "none")
    }
    assert ("all", "same", "all") not in cells  # found in Europeans: pooled people are another ancestry
    rows = (
        done.warehouse.read(REPLICATION_SUMMARY).where(f"scan = 'default' AND map_name = '{MAP}'").collect()
    )
    found = {(row.ancestry, row.known_in, row.category): row.asDict() for row in rows}
    assert set(found) == set(cells)
    for key, own in cells.items():
        plain = plain_summary(own)
        assert {name: found[key][name] for name in plain} == plain, key
    assert done.found.by_status["tested"] == sum(row.status == "tested" for row in done.rows.values())


def test_phenotypes_that_say_that_they_are_simulated_are_named(done):
    _, found, _ = done
    assert found.simulated_sets == ["made_up"]
    page = Path(found.picture).read_text()
    assert "The phenotypes of made_up are simulated" in page


def screen_of(found: Replication, width: int) -> list[str]:
    text = io.StringIO()
    draw_replication(found, Console(file=text, width=width))
    return text.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_the_screen_gives_rates_by_ancestry_and_what_was_not_tested(done, width: int):
    lines = screen_of(done.found, width)
    assert lines[0] == "The phenotypes of made_up are simulated: what follows is no finding."
    own = [row for row in done.rows.values() if (row.ancestry, row.status) == ("eur", "tested")]
    seen = sum(row.is_replicated for row in own)
    (eur, *_) = (line.split() for line in lines if line.strip().startswith("eur"))
    share = f"{100 * seen / len(own):.0f}"
    assert eur[:7] == ["eur", str(len(LINES)), str(seen), "of", str(len(own)), f"({share}", "%)"]
    (not_tested,) = (line for line in lines if line.startswith("Not tested"))
    assert "2 not in callset" in not_tested
    assert "4 ambiguous strand" in not_tested


def test_the_screen_of_a_large_map_has_one_line_an_ancestry_in_80_columns(done):
    """Numbers as large as those of the reference map in a biobank."""
    many = {"known": 5_879, "tested": 3_268, "replicated": 1_354, "powered": 853, "powered_replicated": 651,
            "expected": 1_677.9, "aer": 0.807, "variants_tested": 3_000, "variants_replicated": 1_200,
            "phenotypes_tested": 149, "phenotypes_replicated": 117}  # fmt: skip
    summary = [Row(**{**row.asDict(), **many}) for row in done.found.summary]
    lines = screen_of(dataclasses.replace(done.found, summary=summary), 80)
    (same, of_any, distinct) = (line for line in lines if line.strip().startswith("eur"))
    assert same == of_any
    assert "1,354 of 3,268 (41 %)" in same
    assert "651 of 853 (76 %)" in same
    assert same.split()[-2:] == ["1,677.9", "0.81"]
    assert distinct.split()[-3:] == ["117", "of", "149"]


@pytest.mark.long
def test_a_second_run_gives_the_same_rows(done):
    replicate(done.warehouse, scan="default", map_name=MAP, map_version="1")
    assert rows_of(done.warehouse) == done.rows


@pytest.mark.long
def test_after_a_scan_of_fewer_phenotypes_the_rows_are_those_of_what_is_left(done):
    put_scan(done.warehouse, FITS, SCANNED, name="again")
    replicate(done.warehouse, scan="again", map_name=MAP)
    fewer = [item for item in SCANNED if item.phenotype != GOUT]
    put_scan(done.warehouse, [fit for fit in FITS if fit.phenotype != GOUT], fewer, name="again")
    replicate(done.warehouse, scan="again", map_name=MAP)
    rows = rows_of(done.warehouse, "again")
    assert set(rows) == set(done.rows)
    assert {rows[name, "eur"].status for name in ("odd_letter", "wrong_way")} == {"phenotype_not_scanned"}
    assert {name for (name, group), row in rows.items() if group == "eur" and row.status == "tested"} == {
        *("plain", "ref_risk", "turned", "swapped_palindrome", "strand_palindrome")
    }


def test_a_scan_that_does_not_store_its_tests_is_refused(done):
    thin = [item._replace(n_more=5) if item.phenotype == T2D else item for item in SCANNED]
    put_scan(done.warehouse, FITS, thin, name="thin")
    with pytest.raises(
        BadSource, match=r"no row for 2 known .* 2 of their phenotypes \(250.2 in all, 250.2 in eur\)"
    ):
        replicate(done.warehouse, scan="thin", map_name=MAP)
    assert not rows_of(done.warehouse, "thin")
