"""Drivers and workers killed at random moments of every stage: tables are those of an undisturbed run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tools.soak.kills import DRIVER, WORKERS, soak
from tools.soak.stages import STAGES


def test_two_kills_a_stage_leave_the_tables_of_an_undisturbed_run(tmp_path: Path) -> None:
    report = soak(tmp_path, kills=2 * len(STAGES), seed=8, say=print)
    assert report.different == []
    assert len(report.tables) > 30
    assert Counter((kill.stage, kill.kind) for kill in report.kills) == {
        (stage, kind): 1 for stage in STAGES for kind in (DRIVER, WORKERS)
    }
    drivers = [kill for kill in report.kills if kill.kind == DRIVER]
    assert sum(kill.was_inside for kill in drivers) >= 0.8 * len(drivers)
    assert any(kill.failed for kill in report.kills if kill.kind == WORKERS)
