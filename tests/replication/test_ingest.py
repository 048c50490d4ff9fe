"""Maps of known associations into their tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from allofus_spark.errors import BadSource
from allofus_spark.replication import ingest_known_associations
from allofus_spark.tables import KNOWN_ASSOCIATIONS, REJECTED_KNOWN_ASSOCIATIONS, Warehouse
from tests.replication.maps import write_map
from tests.replication.scans import put_cohort

ALLELE = ("chr1", 1000, "A", "G")


def test_a_map_and_its_refused_lines_are_kept_and_replaced(warehouse: Warehouse, tmp_path: Path):
    put_cohort(warehouse, [ALLELE])
    lines = [{} for _ in range(19)] + [{"SNP_hg38": "no key"}]
    path = write_map(tmp_path / "map.csv", lines)
    counters = ingest_known_associations(warehouse, path, name="pgrm", version="1")
    assert (counters["lines"], counters["associations"], counters["lines_refused"]) == (20, 19, 1)
    assert counters["refused_bad_variant_key"] == 1
    (refused,) = warehouse.read(REJECTED_KNOWN_ASSOCIATIONS).collect()
    assert (refused.line, refused.variant) == (21, "no key")
    ingest_known_associations(warehouse, path, name="pgrm", version="2")
    ingest_known_associations(warehouse, write_map(path, [{}, {}]), name="pgrm", version="1")
    rows = warehouse.read(KNOWN_ASSOCIATIONS).groupBy("map_version").count().collect()
    assert {row.map_version: row["count"] for row in rows} == {"1": 2, "2": 19}
    assert [row.map_version for row in warehouse.read(REJECTED_KNOWN_ASSOCIATIONS).collect()] == ["2"]


def test_a_map_of_which_too_much_is_refused_is_not_written(warehouse: Warehouse, tmp_path: Path):
    put_cohort(warehouse, [ALLELE])
    path = write_map(tmp_path / "map.csv", [{}, {"cat_OR": "0.5"}])
    with pytest.raises(BadSource, match=r"1 of 2 lines were refused.*line 3 \(protective\): 1:1000:A:G"):
        ingest_known_associations(warehouse, path, name="pgrm", version="1")
    assert KNOWN_ASSOCIATIONS.name not in warehouse.snapshot()


def test_a_warehouse_without_a_callset_has_no_build_to_read_keys_of(warehouse: Warehouse, tmp_path: Path):
    with pytest.raises(BadSource, match="holds no callset"):
        ingest_known_associations(warehouse, write_map(tmp_path / "map.csv", [{}]), name="pgrm", version="1")
