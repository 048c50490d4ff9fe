"""No table and no log of the pool, which has rows in every table, names who withdrew; only the list does."""

from __future__ import annotations

import shutil
from functools import reduce
from operator import or_
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from allofus_spark.ancestry import project_samples, train_model
from allofus_spark.errors import BadSource
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.phenotypes import build_from_file
from allofus_spark.qc import compute_qc, flag_sample_outliers
from allofus_spark.relatedness import compute_relatedness
from allofus_spark.representation import ingest_persons, report_cohort
from allofus_spark.settings import load_settings
from allofus_spark.tables import WITHDRAWALS, Warehouse, contracts
from allofus_spark.withdrawal import purge_withdrawn, withdraw_samples
from tests.cases.pool import FEW_SITES, OVERRIDES, WIDE, Pool

pytestmark = pytest.mark.long

SAMPLE, PERSON = f"{WIDE}W1", "PW1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("every_table")


@pytest.fixture(scope="module")
def before(whole_pool: Pool) -> Warehouse:
    return whole_pool.warehouse


@pytest.fixture(scope="module")
def after(spark: SparkSession, before: Warehouse, folder: Path) -> Warehouse:
    """A copy of the pool out of which one person withdrew, purged but for nothing made anew."""
    shutil.copytree(before.root, folder / "w")
    warehouse = Warehouse(spark, load_settings(warehouse=str(folder / "w"), overrides=OVERRIDES))
    withdraw_samples(warehouse, [SAMPLE])
    compute_frequencies(warehouse)
    failed = [check for check in purge_withdrawn(warehouse) if not check.passed]
    assert failed == []
    return warehouse


def tables_naming(warehouse: Warehouse, *ids: str) -> set[str]:
    """Tables with a row, any column of which holds one of the ids, nested ones too."""
    found = set()
    for table in contracts(warehouse.settings):
        if not warehouse.exists(table):
            continue
        rows = warehouse.live(table).select(F.to_json(F.struct("*")).alias("text"))
        named = [F.col("text").contains(f'"{name}"') | F.col("text").contains(f" {name} ") for name in ids]
        if rows.where(reduce(or_, named)).take(1):
            found.add(table.name)
    return found


def logs_naming(warehouse: Warehouse, *ids: str) -> set[str]:
    """Tables whose logs have an entry with one of the ids."""
    return {
        file.parent.parent.name
        for file in Path(warehouse.root).glob("*/*/_delta_log/*.json")
        if any(f'"{name}"' in file.read_text().replace("\\", "") for name in ids)
    }


def test_the_pool_names_the_person_in_many_tables(before: Warehouse) -> None:
    named = tables_naming(before, SAMPLE, PERSON)
    assert {"samples", "sample_qc", "persons", "person_samples", "phenotype_people", "phenotypes"} <= named
    assert {"ancestries", "ancestry_training", "unrelated", "sample_outliers"} <= named


def test_at_once_the_list_alone_names_the_person(after: Warehouse) -> None:
    assert tables_naming(after, SAMPLE, PERSON) == {WITHDRAWALS.name}
    assert logs_naming(after, SAMPLE, PERSON) <= {WITHDRAWALS.name}


def test_a_model_trained_on_the_person_is_used_no_more(after: Warehouse) -> None:
    with pytest.raises(BadSource, match="withdrew consent, and it is used no more; train one anew"):
        project_samples(after)


def test_nothing_that_is_made_anew_brings_the_person_back(
    spark: SparkSession, after: Warehouse, folder: Path, before: Warehouse
) -> None:
    few = Warehouse(spark, load_settings(warehouse=after.root, overrides=FEW_SITES))
    compute_qc(after, assume_unrelated=True)
    compute_relatedness(few)
    train_model(few, callset_id="pool", name="few_sites")
    project_samples(few)
    flag_sample_outliers(after)
    sources = Path(before.root).parent
    counters = ingest_persons(after, sources / "persons.tsv")
    assert (counters["persons_withdrawn"], counters["samples_withdrawn"]) == (1, 1)
    report_cohort(after)
    assert build_from_file(after, str(sources / "traits.tsv"), name="traits")["samples_withdrawn"] == 1
    assert tables_naming(after, SAMPLE, PERSON) == {WITHDRAWALS.name}
