"""``sample_outliers`` against a plain restatement with NumPy's normal equations and Python's statistics."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from pyspark.sql import SparkSession

from allofus_spark.cli import main
from allofus_spark.errors import BadSamples, BadSource
from allofus_spark.qc import METRICS, flag_sample_outliers
from allofus_spark.query import run_query
from allofus_spark.settings import load_settings
from allofus_spark.tables import (
    SAMPLE_OUTLIERS,
    SAMPLE_QC,
    SAMPLES,
    WHOLE_TABLE,
    RowsWrite,
    Warehouse,
    Write,
    ancestries,
    start_run,
)
from tests.representation.files import put_callset

GROUPS = ("afr", "amr", "eas", "eur", "mid", "sas", "oth")
N_PCS = 3
UPPER_ONLY = ("n_singletons", "snv_het_hom_ratio")
Values = Mapping[str, Sequence[float | None]]


def make_metrics(rng: np.random.Generator, pcs: np.ndarray[Any, Any], labels: Sequence[str | None]) -> Values:
    """Metrics that lean on the PCs, with a level and a noise of each group."""
    n = len(labels)
    level = np.array([GROUPS.index(label) if label else 9 for label in labels])
    made: dict[str, list[float | None]] = {}
    for place, name in enumerate(METRICS):
        slope = rng.normal(size=N_PCS) * 50
        noise = rng.normal(size=n) * (1 + level)
        value = 10_000 + 100 * place + pcs @ slope + 30 * level + noise
        if name.startswith("n_"):
            value = np.rint(value)
        made[name] = [float(item) for item in value]
    return made


def sample_qc_row(callset_id: str, sample_id: str, index: int, metrics: Mapping[str, Any]) -> tuple[Any, ...]:
    """A row that meets the checks of the table, whatever its metrics."""
    row: dict[str, Any] = {}
    for column in SAMPLE_QC.columns:
        kind = column.type.simpleString()
        row[column.name] = [] if kind == "array<string>" else None if column.nullable else 0
    row |= {
        name: int(value) if name.startswith("n_") and value is not None else value
        for name, value in metrics.items()
    }
    row |= {"callset_id": callset_id, "sample_id": sample_id, "sample_index": index, "expected_x_hets": 0.0}
    kinds = ("n_snv", "n_insertion", "n_deletion")
    row["n_het"] = row["n_called"] = sum(row[name] for name in kinds)
    row["call_rate"] = row["call_rate"] if row["call_rate"] is not None else 1.0
    return tuple(row[column.name] for column in SAMPLE_QC.columns)


def put_samples(
    warehouse: Warehouse,
    callset_id: str,
    metrics: Values,
    pcs: Sequence[Sequence[float] | None],
    labels: Sequence[str | None],
    *,
    model: str | Sequence[str] = "m-1",
    order: Sequence[int] | None = None,
) -> list[str]:
    """Samples with quality and PCs, through runs as the stages make them; ids of the samples."""
    names = [f"{callset_id}{number}" for number in range(len(labels))]
    put_callset(warehouse, callset_id, names)
    models = [model] * len(names) if isinstance(model, str) else model
    order = list(order) if order is not None else list(range(len(names)))
    quality = [
        sample_qc_row(callset_id, names[at], at, {name: values[at] for name, values in metrics.items()})
        for at in order
    ]
    inferred = [
        (
            callset_id,
            names[at],
            at,
            models[at],
            100,
            None if pcs[at] is None else [float(item) for item in pcs[at]],
            None,
            labels[at],
            labels[at],
            None if labels[at] else "few_called_sites",
        )
        for at in reversed(order)
    ]
    with start_run(warehouse, "test") as run:
        ours = f"callset_id = '{callset_id}'"
        run.write(RowsWrite(SAMPLE_QC, quality, ours), RowsWrite(ancestries(GROUPS), inferred, ours))
    return names


def plain_outliers(
    metrics: Values,
    pcs: Sequence[Sequence[float] | None],
    labels: Sequence[str | None],
    n_pcs: int,
    most: float,
) -> dict[tuple[int, str], dict[str, Any]]:
    """By sample and metric: normal equations in extended precision, medians of the standard library."""
    answer: dict[tuple[int, str], dict[str, Any]] = {}
    for metric, values in metrics.items():
        held = [at for at, value in enumerate(values) if value is not None and pcs[at] is not None]
        x = np.array([[1.0, *list(pcs[at] or ())[:n_pcs]] for at in held], np.longdouble)
        y = np.array([values[at] for at in held], np.longdouble)
        scale = np.abs(x).max(axis=0)
        x = x / scale
        coefficients = np.linalg.solve((x.T @ x).astype(float), (x.T @ y).astype(float))
        for _ in range(3):  # refined, as the equations square the condition
            coefficients = coefficients + np.linalg.solve(
                (x.T @ x).astype(float), (x.T @ (y - x @ coefficients)).astype(float)
            )
        residuals = dict(zip(held, (float(item) for item in y - x @ coefficients), strict=True))
        for at in held:
            own = [residuals[other] for other in held if labels[other] == labels[at]]
            median = statistics.median(own)
            mad = statistics.median([abs(item - median) for item in own])
            deviation = (residuals[at] - median) / mad if mad else None
            far = None if deviation is None else deviation if metric in UPPER_ONLY else abs(deviation)
            answer[at, metric] = {
                "residual": residuals[at],
                "median": median,
                "mad": mad,
                "deviation_mads": deviation,
                "is_outlier": None if far is None else far > most,
            }
    return answer


def rows_of(warehouse: Warehouse, callset_id: str) -> dict[tuple[int, str], dict[str, Any]]:
    rows = [row.asDict() for row in warehouse.read(SAMPLE_OUTLIERS).collect() if row.callset_id == callset_id]
    found = {(row["sample_index"], row["metric"]): row for row in rows}
    assert len(found) == len(rows)
    return found


class Cohort:
    """120 samples of two groups and some without a label; some lack PCs or a value, some are far off."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.labels = ["afr"] * 50 + ["eur"] * 50 + [None] * 20
        scores = rng.normal(size=(120, 5)) * [20, 10, 5, 1, 1]
        self.pcs: list[list[float] | None] = [list(row) for row in scores]
        metrics = make_metrics(rng, scores[:, :N_PCS], self.labels)
        self.metrics: dict[str, list[float | None]] = {name: list(values) for name, values in metrics.items()}
        self.pcs[7] = self.pcs[60] = None
        self.metrics["ti_tv"][11] = None
        for at, metric, shift in self.shifts():
            self.metrics[metric][at] += shift  # type: ignore[operator]

    @staticmethod
    def shifts() -> list[tuple[int, str, float]]:
        return [
            (3, "n_snv", 900),
            (4, "n_snv", -900),
            (5, "n_singletons", 900),
            (6, "n_singletons", -900),
            (70, "snv_het_hom_ratio", 900),
            (71, "snv_het_hom_ratio", -900),
            (110, "ti_tv", 4_000),
        ]


COHORT = Cohort()


@pytest.fixture(scope="module")
def flagged(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Warehouse, dict[str, int]]:
    root = str(tmp_path_factory.mktemp("outliers") / "w")
    warehouse = Warehouse(spark, load_settings(warehouse=root, overrides=[f"qc.n_outlier_pcs={N_PCS}"]))
    put_samples(warehouse, "c", COHORT.metrics, COHORT.pcs, COHORT.labels)
    # Another callset with values of its own, and one that is retired.
    half = {name: values[:60] for name, values in COHORT.metrics.items()}
    put_samples(warehouse, "d", half, COHORT.pcs[:60], COHORT.labels[:60])
    put_callset(warehouse, "old", ["c0"], retired_by="c")
    return warehouse, flag_sample_outliers(warehouse)


def check_equal(
    found: dict[tuple[int, str], dict[str, Any]], expected: dict[tuple[int, str], dict[str, Any]]
) -> None:
    for place, plain in expected.items():
        row = found[place]
        assert row["is_outlier"] == plain["is_outlier"], place
        for name in ("residual", "median", "mad", "deviation_mads"):
            assert row[name] == pytest.approx(plain[name], rel=1e-8, abs=1e-8), (place, name)
        assert row["value"] - row["expected"] == pytest.approx(row["residual"], abs=1e-9)


def test_every_row_is_that_of_plain_numpy(flagged: tuple[Warehouse, dict[str, int]]) -> None:
    warehouse, counters = flagged
    found = rows_of(warehouse, "c")
    assert len(found) == 120 * len(METRICS)
    expected = plain_outliers(COHORT.metrics, COHORT.pcs, COHORT.labels, N_PCS, 8)
    check_equal(found, expected)
    outliers = {place for place, row in found.items() if row["is_outlier"]}
    assert outliers >= {(3, "n_snv"), (4, "n_snv"), (5, "n_singletons"), (70, "snv_het_hom_ratio")}
    assert not outliers & {(6, "n_singletons"), (71, "snv_het_hom_ratio")}
    assert (110, "ti_tv") in outliers
    assert {row["ancestry"] for row in found.values()} == {"afr", "eur", "unlabelled"}
    half = {name: values[:60] for name, values in COHORT.metrics.items()}
    check_equal(rows_of(warehouse, "d"), plain_outliers(half, COHORT.pcs[:60], COHORT.labels[:60], N_PCS, 8))
    assert counters["samples"] == 180
    n_outlying = sum(row.is_outlier is True for row in warehouse.read(SAMPLE_OUTLIERS).collect())
    assert sum(counters[f"outliers_{name}"] for name in METRICS) == n_outlying > 5
    assert rows_of(warehouse, "old") == {}


def test_what_could_not_be_judged_says_why_and_is_never_flagged(
    flagged: tuple[Warehouse, dict[str, int]],
) -> None:
    warehouse, counters = flagged
    found = rows_of(warehouse, "c")
    why = {place: row["not_assessed"] for place, row in found.items() if row["not_assessed"]}
    assert why == {
        **{(at, metric): "no_pcs" for at in (7, 60) for metric in METRICS},
        (11, "ti_tv"): "no_value",
    }
    for place in why:
        assert [found[place][name] for name in ("expected", "residual", "median", "is_outlier")] == [None] * 4
    assert found[7, "n_snv"]["value"] == COHORT.metrics["n_snv"][7]
    assert counters["not_assessed_ti_tv"] == 2 + 1 + 1 + 1  # in d only sample 7 and 11 of these


def test_rows_in_another_order_give_the_same(
    flagged: tuple[Warehouse, dict[str, int]], spark: SparkSession
) -> None:
    warehouse, _ = flagged
    before = rows_of(warehouse, "c")
    order = list(np.random.default_rng(1).permutation(120))
    put_samples(warehouse, "c", COHORT.metrics, COHORT.pcs, COHORT.labels, order=order)
    with start_run(warehouse, "test") as run:
        for table in (SAMPLE_QC, ancestries(GROUPS), SAMPLES):
            rows = run.read(table).repartition(7).localCheckpoint()
            run.write(Write(table, rows, WHOLE_TABLE))
    spark.conf.set("spark.sql.shuffle.partitions", "5")
    try:
        flag_sample_outliers(warehouse)
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", "2")
    assert rows_of(warehouse, "c") == before


def test_equal_residuals_and_few_samples_are_not_judged(warehouse: Warehouse) -> None:
    small = Warehouse(
        warehouse.spark, load_settings(warehouse=warehouse.root, overrides=["qc.n_outlier_pcs=4"])
    )
    rng = np.random.default_rng(8)
    labels = ["afr"] * 30
    pcs = [list(row) for row in rng.normal(size=(30, 2))]  # fewer than the settings ask for
    metrics = {name: [float(value) for value in rng.integers(100, 200, 30)] for name in METRICS}
    metrics["n_deletion"] = [5.0] * 30
    metrics["ti_tv"] = [2.1] * 29 + [2.2]  # half of the residuals are not equal: the PCs take some of it
    metrics["insertion_deletion_ratio"] = [0.1 + 0.2] * 30
    metrics["call_rate"] = [0.99 + 0.001 * row[0] for row in pcs]  # on a line with the PC: nothing left
    put_samples(small, "c", metrics, pcs, labels)
    few = {name: values[:3] for name, values in metrics.items()}
    put_samples(small, "few", few, pcs[:3], labels[:3])
    put_samples(small, "without", few, [None] * 3, labels[:3])
    counters = flag_sample_outliers(small)
    found = rows_of(small, "c")
    for metric in ("n_deletion", "insertion_deletion_ratio", "call_rate"):
        assert {found[at, metric]["not_assessed"] for at in range(30)} == {"mad_is_zero"}
        assert {found[at, metric]["mad"] for at in range(30)} == {0.0}
    assert {found[at, "ti_tv"]["not_assessed"] for at in range(30)} == {None}
    assert {row["not_assessed"] for row in rows_of(small, "few").values()} == {"few_samples"}
    assert {row["not_assessed"] for row in rows_of(small, "without").values()} == {"no_pcs"}
    assert counters["not_assessed_n_deletion"] == 36
    assert counters["outliers_n_deletion"] == 0
    check_equal(
        {place: row for place, row in found.items() if place[1] == "n_snv"},
        plain_outliers({"n_snv": metrics["n_snv"]}, pcs, labels, 2, 8),
    )


def test_pcs_of_several_models_and_missing_tables_are_refused(warehouse: Warehouse) -> None:
    put_callset(warehouse, "c", ["a"])
    with pytest.raises(BadSource, match="outliers need sample_qc; run allofus qc first"):
        flag_sample_outliers(warehouse)
    metrics = {name: [1.0, 2.0] for name in METRICS}
    quality = sample_qc_row("c", "a", 0, dict.fromkeys(METRICS, 1.0))
    with start_run(warehouse, "test") as run:
        run.write(RowsWrite(SAMPLE_QC, [quality], WHOLE_TABLE))
    with pytest.raises(BadSource, match="outliers need ancestries; run allofus infer-ancestry project first"):
        flag_sample_outliers(warehouse)
    put_samples(warehouse, "c", metrics, [[1.0], [2.0]], ["afr", "eur"], model=["m-1", "m-2"])
    with pytest.raises(BadSamples, match=r"callset c: its PCs are of 2 models \(m-1, m-2\)"):
        flag_sample_outliers(warehouse)


def test_the_screen_counts_outliers_by_metric(
    flagged: tuple[Warehouse, dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, counters = flagged
    held = warehouse.read(SAMPLE_OUTLIERS).collect()

    @contextmanager
    def opened(*_: object) -> Iterator[Warehouse]:
        yield warehouse

    monkeypatch.setattr("allofus_spark.cli.qc.open_warehouse", opened)
    answer = CliRunner().invoke(main, ["sample-outliers"], catch_exceptions=False).stdout
    assert answer.startswith(
        f"{counters['samples_outlying']} of 180 samples are an outlier in at least one metric"
    )
    (line,) = [line.split() for line in answer.splitlines() if line.split()[:1] == ["n_snv"]]
    assert line[:3] == ["n_snv", str(counters["outliers_n_snv"]), str(counters["assessed_n_snv"])]
    (line,) = [line for line in answer.splitlines() if line.split()[:1] == ["ti_tv"]]
    n_without = sum(row.not_assessed == "no_pcs" for row in held if row.metric == "ti_tv")
    assert line.rstrip().endswith(f"no_pcs {n_without}, no_value 2")
    outliers = sorted((row for row in held if row.is_outlier), key=lambda row: -abs(row.deviation_mads))
    named = [line.split() for line in answer.partition("Farthest off")[2].splitlines()]
    first = outliers[0]
    expected = [first.callset_id, first.sample_id, first.metric, f"{first.deviation_mads:+,.1f}"]
    assert expected in named
    question = answer.partition('allofus query "')[2].partition('"')[0]
    assert run_query(warehouse, question).first().sample_id == first.sample_id
