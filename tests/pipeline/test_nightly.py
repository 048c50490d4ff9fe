"""A night makes anew what is stale and nothing else, on a cohort that fills every table."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from delta.tables import DeltaTable
from pyspark.sql import Row, SparkSession

from allofus_spark.errors import BadSource
from allofus_spark.pipeline import Outcome, Plan, State, make_plan, run_nightly
from allofus_spark.pipeline import actions as actions_module
from allofus_spark.representation import ingest_persons_from_omop
from allofus_spark.settings import Settings, load_settings
from allofus_spark.tables import PIPELINE_RUNS, SAMPLES, Recipe, RowsWrite, Warehouse, contracts, start_run
from allofus_spark.tables.stages import STAGES
from tests.cases.pool import FEW_SITES, OVERRIDES, Pool
from tests.cases.pool_records import FEW_PEOPLE

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def first_night(spark: SparkSession, whole_pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the cohort's warehouse after a night: everything in it is current."""
    root = tmp_path_factory.mktemp("night") / "warehouse"
    shutil.copytree(whole_pool.warehouse.root, root)
    night = run_nightly(Warehouse(spark, _settings(root)))
    assert night.is_well, [result.message for result in night.of(Outcome.FAILED)]
    return root


@pytest.fixture
def held(spark: SparkSession, first_night: Path, tmp_path: Path) -> Warehouse:
    root = shutil.copytree(first_night, tmp_path / "warehouse")
    return Warehouse(spark, _settings(root))


def _settings(root: Path) -> Settings:
    overrides = [*OVERRIDES, *FEW_SITES, *FEW_PEOPLE]
    return load_settings(warehouse=str(root), overrides=overrides)


def versions(warehouse: Warehouse) -> Mapping[str, int]:
    states = {table.name: warehouse.state(table) for table in contracts(warehouse.settings)}
    return {name: state.version for name, state in states.items() if state is not None}


def last_record(warehouse: Warehouse) -> Row:
    nights = [row for row in warehouse.rows(PIPELINE_RUNS) if row.stage == "nightly"]
    return max(nights, key=lambda row: row.started_at)


def due(plan: Plan) -> set[str]:
    return {step.stage.name for step in plan.steps if step.is_due}


def test_a_second_night_writes_its_record_alone(held: Warehouse) -> None:
    before = versions(held)
    assert make_plan(held).is_idle
    night = run_nightly(held)
    assert {result.outcome for result in night.results} <= {Outcome.CURRENT, Outcome.BY_HAND}
    after = versions(held)
    assert after == {**before, "pipeline_runs": before["pipeline_runs"] + 1}
    record = last_record(held)
    assert (record.table_name, record.status, record.counters["stages_done"]) == ("", "finished", 0)


def test_maintenance_makes_nothing_stale(held: Warehouse) -> None:
    for name in ("genotypes", "variants", "samples", "allele_counts", "phenotypes"):
        DeltaTable.forPath(held.spark, held.path(held.contract(name))).optimize().executeCompaction()
    assert make_plan(held).is_idle


def relabel_one(held: Warehouse) -> str:
    """Give somebody another ancestry, as `ingest_samples` would; the callset."""
    rows = [tuple(row) for row in held.rows(SAMPLES)]
    place = [column.name for column in SAMPLES.columns].index("ancestry")
    first = next(row for row in rows if row[place] is not None)
    other = next(row[place] for row in rows if row[place] not in (None, first[place]))
    relabelled = [(*row[:place], other, *row[place + 1 :]) if row == first else row for row in rows]
    with start_run(held, "ingest_samples") as run:
        run.write(RowsWrite(SAMPLES, relabelled, f"callset_id = '{first[0]}'"))
    return str(first[0])


def test_a_label_makes_stale_what_counts_by_label(held: Warehouse) -> None:
    callset_id = relabel_one(held)
    plan = make_plan(held)
    assert {"compute_frequencies", "compute_qc"} <= due(plan)
    assert not due(plan) & {"flag_novelty", "annotate_consequences"}
    (step,) = [step for step in plan.steps if step.stage.name == "compute_frequencies"]
    assert step.why == ["samples changed"]
    assert step.partitions == [f"samples/callset_id={callset_id}"]
    night = run_nightly(held)
    assert night.is_well, [result.message for result in night.of(Outcome.FAILED)]
    assert "compute_frequencies" in {result.step.stage.name for result in night.of(Outcome.DONE)}
    assert make_plan(held).is_idle


def test_a_setting_makes_stale_the_stages_that_it_shapes(held: Warehouse) -> None:
    changed = load_settings(warehouse=held.root, overrides=["replication.max_p=0.01"])
    replication = held.settings.model_copy(update={"replication": changed.replication})
    plan = make_plan(Warehouse(held.spark, replication))
    assert due(plan) == {"replicate"}
    spark_alone = held.settings.model_copy(update={"spark": changed.spark})
    assert make_plan(Warehouse(held.spark, spark_alone)).is_idle


def test_a_stage_that_fails_holds_back_what_reads_it(
    held: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise BadSource("the disk is on fire")

    changed = load_settings(
        warehouse=held.root, overrides=["summary.passing_only=true", "qc.min_snv_qual_phred=29"]
    )
    both = held.settings.model_copy(update={"summary": changed.summary, "qc": changed.qc})
    monkeypatch.setitem(actions_module._ACTIONS, "compute_qc", (broken, None))
    warehouse = Warehouse(held.spark, both)
    before = versions(held)
    night = run_nightly(warehouse)
    assert not night.is_well
    assert [result.step.stage.name for result in night.of(Outcome.FAILED)] == ["compute_qc"]
    held_back = {result.step.stage.name for result in night.of(Outcome.HELD_BACK)}
    assert held_back == {"flag_sample_outliers", "summarise_variants"}
    assert {name for name, version in versions(held).items() if version != before.get(name)} == {
        "pipeline_runs"
    }
    record = last_record(held)
    assert (record.status, record.message) == ("failed", "compute_qc: the disk is on fire")


def test_a_table_that_is_gone_is_made_again(held: Warehouse) -> None:
    shutil.rmtree(held.path(held.contract("variant_summary")))
    assert due(make_plan(held)) == {"summarise_variants"}
    assert run_nightly(held).is_well
    assert held.exists(held.contract("variant_summary"))
    assert make_plan(held).is_idle


def test_a_run_of_listed_samples_is_not_repeated(held: Warehouse) -> None:
    with start_run(held, "compute_relatedness") as run:
        run.progress("as of a list of samples")
    relabel_one(held)
    (step,) = [step for step in make_plan(held).steps if step.stage.name == "compute_relatedness"]
    assert step.state is State.BY_HAND


def test_recipes_come_back_as_they_went(held: Warehouse) -> None:
    for row in held.rows(PIPELINE_RUNS):
        if row.parameters is not None:
            recipe = Recipe.of(row)
            assert json.loads(str(recipe.as_json())) == json.loads(row.parameters)


@pytest.fixture
def newer_sources(whole_pool: Pool) -> Iterator[None]:
    """Every file that the pool was told of has another time, as after a copy; then again its own."""
    folder = Path(whole_pool.warehouse.root).parent
    sources = [path for path in (*folder.iterdir(), *folder.glob("cdm/*")) if path.is_file()]
    times = {path: path.stat() for path in sources}
    for path, was in times.items():
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns + 1_000_000_000))
    yield
    for path, was in times.items():
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def test_runs_read_what_their_stages_declare(held: Warehouse, newer_sources: None) -> None:
    ingest_persons_from_omop(held)
    night = run_nightly(held)
    repeated = {result.step.stage.name for result in night.of(Outcome.DONE)}
    assert {"import_annotation", "build_phenotypes", "run_associations", "replicate"} <= repeated
    for row in held.rows(PIPELINE_RUNS):
        stage = STAGES.get(row.stage)
        if stage is not None and row.parameters is not None:
            beyond = set(row.inputs) - set(stage.reads) - set(stage.writes) - {"partition_inputs"}
            assert not beyond, f"{row.stage} read {beyond}"


def test_the_order_of_stages_is_that_of_their_tables() -> None:
    written: set[str] = set()
    for stage in STAGES.values():
        for other in STAGES.values():
            if other.name not in written and other.name != stage.name:
                assert not set(other.writes) & set(stage.reads) - set(stage.writes), (other.name, stage.name)
        written.add(stage.name)
