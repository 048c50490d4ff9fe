"""What a scan shows: the table of the command, and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from allofus_spark.association.pictures import qq_points
from allofus_spark.cli.association import draw_associations, p_value
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
    (path,) = found.pictures
    assert path.endswith("registered/pictures/associations/shown/height.html")
    drawn = Path(path).read_text()
    assert "Associations of height" in drawn
    for ancestry in ("afr", "eur", "meta"):
        assert f"{ancestry}: n " in drawn


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
