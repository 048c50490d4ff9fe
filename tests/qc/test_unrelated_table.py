"""Whom Hardy-Weinberg tests are made among when no list is given: the table ``unrelated``."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from allofus_spark.ingest import ingest_genotypes
from allofus_spark.qc import compute_qc
from allofus_spark.query import run_query
from allofus_spark.tables import UNRELATED, WHOLE_TABLE, RowsWrite, Warehouse, start_run
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes

NAMES = ("a", "b", "c", "d")


def fill_unrelated(held: Warehouse, kept: dict[str, bool]) -> None:
    rows = [
        ("c", name, index, keep, None if keep else "related_to_kept", None if keep else "a", 1, 1.0)
        for index, (name, keep) in enumerate(kept.items())
    ]
    with start_run(held, "fill") as run:
        run.write(RowsWrite(UNRELATED, rows, WHOLE_TABLE))


@pytest.mark.long
def test_tests_are_made_among_whom_relatedness_kept(
    warehouse: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    source = write_bytes(tmp_path / "c.vcf", vcf_text([gt_record("0/1", "0/1", "1/1", "0/0")], NAMES))
    ingest_genotypes(warehouse, [str(source)], callset_id="c", callset_date="2026-01-01", build="GRCh38")
    assert "samples_unrelated" not in compute_qc(warehouse)
    assert "run relatedness" in caplog.text
    fill_unrelated(warehouse, {"a": True, "b": False, "c": True})
    counters = compute_qc(warehouse)
    assert (counters["samples_unrelated"], counters["samples_not_in_unrelated"]) == (2, 1)
    assert "1 of 4 samples came in after relatedness was computed" in caplog.text
    tested = run_query(warehouse, "SELECT excess_het.n_het, excess_het.n_hom_alt FROM variant_qc").first()
    assert tuple(tested or ()) == (1, 1), "a is het, c hom-alt; b is related, d not known"
    assert compute_qc(warehouse, unrelated=["b", "d"])["samples_unrelated"] == 2
    assert compute_qc(warehouse, assume_unrelated=True)["samples_unrelated"] == 4
