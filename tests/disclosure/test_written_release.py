"""The attacker on what a release writes: tables, TSV and VCF of a made cohort, and the same spoilt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from allofus_spark.disclosure import verify_release
from allofus_spark.published import table_files
from allofus_spark.release import publish_release
from tests.release.made_cohort import Cohort, cohort_warehouse, random_cohort

PEOPLE = {"afr": 300, "amr": 120, "eur": 500, "oth": 12, None: 40}


@pytest.fixture(scope="module")
def made() -> Cohort:
    return random_cohort(3, 600, PEOPLE)


@pytest.fixture(scope="module")
def written(spark: SparkSession, made: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release that was published because the attacker derived nothing."""
    root = tmp_path_factory.mktemp("written") / "w"
    return publish_release(cohort_warehouse(spark, str(root), made), "v1", verify=verify_release).folder


def test_nothing_follows_from_a_written_release(written: Path) -> None:
    result = verify_release(written)
    assert result.derived == []
    assert result.tried["variants"]["cells of the VCF"] > 1000
    assert result.tried["variants"]["cells of the TSV"] > 1000


def test_one_cell_given_back_is_found(written: Path, made: Cohort, tmp_path: Path) -> None:
    """The first withheld cell of 1 to 20 copies, shown in the Parquet file alone."""
    spoilt = tmp_path / "v1"
    shutil.copytree(written, spoilt)
    (file,) = table_files(spoilt, "variants")
    table = pq.read_table(file)
    places = {site: place for place, site in enumerate(made.sites)}
    true = made.cells("amr")["ac"]
    sites = zip(
        *(table.column(name).to_pylist() for name in ("contig", "position", "ref", "alt")), strict=True
    )
    counts = [int(true[places[site]]) for site in sites]
    shown = table.column("amr_ac").to_pylist()
    row = next(p for p, n in enumerate(counts) if shown[p] is None and 1 <= n <= 20)
    shown[row] = counts[row]
    place = table.schema.get_field_index("amr_ac")
    pq.write_table(table.set_column(place, "amr_ac", pa.array(shown, pa.int64())), file)
    found = {(f.quantity, f.groups, f.hi) for f in verify_release(spoilt).derived}
    assert ("carriers", ("amr",), counts[row]) in found
