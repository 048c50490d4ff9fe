"""What a scan shows: the table of the command, and pictures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from allofus_spark.association.marks import read_axis, read_marks
from allofus_spark.association.plots import chance_band, qq_points
from allofus_spark.cli.association import draw_associations, p_value
from allofus_spark.cohort import warehouse_build
from allofus_spark.tables import ASSOCIATIONS
from allofus_spark.tables.association_tables import QQ_EDGES

from .made_cohort import Made, scan_made


def test_the_screen_and_a_picture(made: Made) -> None:
    found: Any = scan_made(
        made, scan="shown", phenotype_ids=["height", "disease"], pictures=["height"], ancestries=[]
    )
    console = Console(width=130, record=True, file=(Path(made.folder) / "screen.txt").open("w"))
    draw_associations(found, "shown", console)
    text = console.export_text()
    assert {line.split()[0] for line in text.splitlines() if " afr " in line} == {"height", "disease"}
    assert "association_summaries WHERE scan = 'shown'" in text
    narrow = rendered(found, 80)
    assert all(len(line) <= 80 for line in narrow if "allofus query" not in line and "Picture" not in line)
    assert [line.split() for line in narrow[:9]] == [line.split() for line in rendered(found, 120)[:9]]
    (path,) = found.pictures
    assert path.endswith("registered/pictures/associations/shown/height.html")
    drawn = Path(path).read_text()
    assert "Associations of height" in drawn
    for ancestry in ("afr", "eur", "meta"):
        assert f"{ancestry}: \\u03bbGC " in drawn  # as JSON writes it
        assert f"{ancestry}: {n_people(found, 'height', ancestry):,} people" in drawn


def rendered(found: Any, width: int) -> list[str]:
    console = Console(width=width, record=True, file=io.StringIO())
    draw_associations(found, "shown", console)
    return console.export_text().splitlines()


def n_people(found: Any, phenotype_id: str, ancestry: str) -> int:
    (n,) = [row.n for row in found.summaries if (row.phenotype_id, row.ancestry) == (phenotype_id, ancestry)]
    return int(n)


def test_a_manhattan_plot_shows_the_smallest_p_of_each_place(made: Made) -> None:
    """Of every phenotype and ancestry the largest −log10 p is a mark, and places are those of variants."""
    scan_made(made, scan="marked", phenotype_ids=["height"], pictures=[], ancestries=[])
    rows = made.warehouse.live(ASSOCIATIONS).where("scan = 'marked' AND neg_log10_p IS NOT NULL").collect()
    axis = read_axis(made.warehouse, "marked", warehouse_build(made.warehouse))
    most = {("height", row.ancestry): 0.0 for row in rows}
    for row in rows:
        pair = (row.phenotype_id, row.ancestry)
        most[pair] = max(most[pair], row.neg_log10_p)
    marks = read_marks(made.warehouse, "marked", most, axis)
    assert set(marks) == set(most)
    for pair, points in marks.items():
        own = {(row.contig, row.position): row.neg_log10_p for row in rows if row.ancestry == pair[1]}
        assert points.neg_log10_p.max() == most[pair]
        for x, height in zip(points.x, points.neg_log10_p, strict=True):
            assert own[axis.place(x)] == height


def test_the_band_of_chance_holds_what_chance_gives() -> None:
    drawn = np.sort(np.random.default_rng(3).random((4_000, 200)), axis=1)
    expected, low, high = chance_band(200)
    for k in (1, 10, 200):
        at = int(np.abs(expected + np.log10((k - 0.5) / 200)).argmin())
        observed = -np.log10(drawn[:, k - 1])
        assert ((low[at] <= observed) & (observed <= high[at])).mean() == pytest.approx(0.95, abs=0.015)


def test_p_values_at_any_size() -> None:
    assert [p_value(number) for number in (None, 0.0, 1.0, 7.301, 320.0)] == [
        "",
        "1.00",
        "0.10",
        "5.0e-08",
        "1.0e-320",
    ]


def test_points_of_chance_lie_on_the_diagonal() -> None:
    p = (np.arange(100_000) + 0.5) / 100_000
    counts = np.bincount(np.searchsorted(QQ_EDGES, -np.log10(p)), minlength=len(QQ_EDGES) + 1)
    expected, observed = qq_points(counts, float(-np.log10(p[0])))
    likely = observed <= 3  # 100 tests or more lie above
    assert expected[likely] == pytest.approx(observed[likely], abs=0.01)
    assert expected[-1] == pytest.approx(observed[-1], abs=1e-9)
