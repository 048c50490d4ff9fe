"""Releases as the command makes them: attacked, and with a report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from allofus_spark.cli.release import print_release
from allofus_spark.pipeline.release import make_release
from tests.release.made_cohort import cohort_warehouse, random_cohort


@pytest.mark.long
def test_two_releases_withstand_the_attacker(spark: SparkSession, tmp_path: Path) -> None:
    """People joined one group and left another; unlabelled ones, and a group too small to show."""
    joined = random_cohort(23, 400, {"afr": 160, "amr": 90, "eur": 260, "oth": 9, None: 35})
    places = np.arange(len(joined.labels))
    before, after = joined.people(places >= 65), joined.people((places < 480) | (places >= 510))
    for version, cohort in (("v1", before), ("v2", after)):
        warehouse = cohort_warehouse(spark, str(tmp_path / version), cohort)
        released = make_release(warehouse, version, str(tmp_path / "releases"))
        said = json.loads((released.folder / "verification.json").read_text(encoding="utf-8"))
        assert said["n_derived"] == 0
        assert said["tried"]["variants"]["counts of people in a cell"] > 5_000
        assert (released.folder / "report" / "index.html").exists()
        carried, kept = released.kept["eur"]
        assert 0 < kept < carried
    assert said["earlier"] == ["v1"]


def test_the_screen_says_what_is_kept(released, capsys) -> None:  # type: ignore[no-untyped-def]
    print_release(released)
    shown = capsys.readouterr().out
    total = released.manifest.product("variants").rows
    carried, kept = released.kept["afr"]
    assert f"{total:,}" in shown
    assert f"{carried:,}" in shown
    assert f"{100 * kept / carried:.1f} %" in shown
    assert "phenotypes is left out: there is no table phenotype_catalogue" in shown
