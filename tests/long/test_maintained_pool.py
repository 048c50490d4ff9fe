"""Maintenance of a warehouse in which every table has rows: none changes, whatever writer laid its files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from allofus_spark.consequences import import_annotation
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.maintenance import maintain, plan_maintenance
from allofus_spark.novelty import flag_novelty
from allofus_spark.tables import PIPELINE_RUNS, Warehouse
from allofus_spark.tables.run_tables import RUN_TABLES
from tests.cases.pool import Pool
from tests.cases.vcf_files import write_bytes
from tests.maintenance.contents import content, scattered


@pytest.fixture(scope="module")
def held(whole_pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A copy of the pool's warehouse, the files of each table scattered."""
    root = shutil.copytree(whole_pool.warehouse.root, tmp_path_factory.mktemp("held") / "w é [1]")
    settings = whole_pool.warehouse.settings.model_copy(update={"warehouse": str(root)})
    copy = Warehouse(whole_pool.warehouse.spark, settings)
    for table in copy.existing():
        scattered(copy, table)
    return copy


def test_every_table_keeps_its_rows_in_one_file_a_partition(held: Warehouse) -> None:
    before = content(held)
    many = {plan.table.name for plan in plan_maintenance(held) if plan.groups}
    assert {"genotypes", "allele_frequencies", "associations", "phenotypes", "pipeline_runs"} <= many
    maintain(held)
    assert content(held) == before
    for plan in plan_maintenance(held):
        partitions = [tuple(file.partition.items()) for file in plan.files]
        if plan.table not in RUN_TABLES:  # they got the rows of the run itself
            assert len(partitions) == len(set(partitions)), plan.table.name


def test_nothing_is_stale_afterwards(held: Warehouse, tmp_path: Path) -> None:
    maintain(held)
    snapshot = held.snapshot()
    assert compute_frequencies(held)["partitions_written"] == 0
    flag_novelty(held, catalogues={"known": "2"})
    header = "vid\ttranscript\tgene_symbol\tconsequence\n"
    table = write_bytes(tmp_path / "table.tsv", header + "4-5-A-T\tENST1\tGENE\tmissense_variant\n")
    import_annotation(held, str(table), annotator="csq2", version="1")
    assert {**held.snapshot(), "consequences": 0} == {**snapshot, "consequences": 0}
    stages = {row.stage for row in held.rows(PIPELINE_RUNS) if row.table_name == ""}
    assert {"maintain", "compute_frequencies", "flag_novelty"} <= stages
