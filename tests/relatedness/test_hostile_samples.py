"""Samples without calls, files that cannot be written, and blocks beyond the cohort."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from pyspark.sql import SparkSession

from allofus_spark.cli import main
from allofus_spark.relatedness import compute_relatedness

from .cohorts import ingest, new_warehouse, unrelated_of, write_vcf

IDS = ("it's", '"x"', "</script>", "naïve é", "[red]y[/red]", "z" * 300)
SILENT = 2


def test_samples_without_calls_are_counted_whatever_they_are_called(
    spark: SparkSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calls = np.random.default_rng(5).integers(0, 3, (200, len(IDS)))
    calls[:, SILENT] = 3
    vcf = write_vcf(tmp_path / "c.vcf", IDS, calls, range(100, 20_100, 100))
    here = new_warehouse(spark, tmp_path / "w", "sites.min_call_rate=0.5", "relatedness.block_samples=8192")
    ingest(here, vcf, "c")
    with caplog.at_level("INFO"):
        found = compute_relatedness(here, cases=[IDS[0], IDS[SILENT]])
    assert found.counters["samples_without_calls"] == 1
    assert "1 of 6 samples have no call at any of the sites" in caplog.text
    assert f"all are kept: {IDS[SILENT]}; leave them out with --samples" in caplog.text
    row = unrelated_of(here)[IDS[SILENT]]
    assert (row["is_kept"], row["call_rate"], row["n_relatives"]) == (True, 0, 0)
    assert set(unrelated_of(here)) == set(IDS)


@pytest.mark.parametrize(
    ("out", "message"), [("nowhere/ids.txt", "there is no folder nowhere"), (".", "this is a folder; name a")]
)
def test_a_list_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(main, ["relatedness", "--out", out])
    assert answer.exit_code == 1
    assert f"error: --out {out}: {message}" in answer.output
    assert not list(tmp_path.iterdir())
