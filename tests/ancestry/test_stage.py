"""Training and projection through the tables, against plain NumPy and however the work is cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from allofus_spark.ancestry import project_samples, train_model
from allofus_spark.tables import ANCESTRY_LOADINGS, ANCESTRY_MODELS, ANCESTRY_TRAINING, Warehouse

from .conftest import (
    GROUPS,
    SPARSELY_CALLED,
    UNASSIGNED,
    UNLABELLED,
    NewWarehouse,
    Trained,
    add_callset,
    copy_of,
    panel_labels,
)
from .populations import MISSING, components, left_out_scores, standardised

N_PCS = 5


def rows_of(warehouse: Warehouse, name: str) -> list[dict[str, Any]]:
    table = warehouse.contract(name)
    return [row.asDict(recursive=True) for row in warehouse.read(table).orderBy(*table.key).collect()]


@pytest.fixture(scope="module")
def loadings(trained: Trained) -> list[dict[str, Any]]:
    return rows_of(trained.warehouse, "ancestry_loadings")


@pytest.fixture(scope="module")
def people(trained: Trained) -> dict[str, dict[str, Any]]:
    return {row["sample_id"]: row for row in rows_of(trained.warehouse, "ancestries")}


@pytest.fixture(scope="module")
def weights(loadings: list[dict[str, Any]]) -> npt.NDArray[np.float64]:
    return np.array([row["loadings"] for row in loadings])


@pytest.fixture(scope="module")
def sites(trained: Trained, loadings: list[dict[str, Any]]) -> list[int]:
    """The model's sites as rows of the simulated calls."""
    places = {place: site for site, place in enumerate(trained.panel.places)}
    return [places[row["contig"], row["position"]] for row in loadings]


@pytest.fixture(scope="module")
def x(trained: Trained, loadings: list[dict[str, Any]], sites: list[int]) -> npt.NDArray[np.float64]:
    """Standardised calls of the whole panel."""
    p = np.array([row["af"] for row in loadings])
    return standardised(trained.panel.calls[sites], p, len(sites))


def training_places() -> list[int]:
    return [sample for sample in range(100) if sample not in (*UNLABELLED, UNASSIGNED)]


def test_a_model_is_the_decomposition_of_its_labelled_samples(
    trained: Trained, loadings: list[dict[str, Any]], weights: npt.NDArray[np.float64], sites: list[int],
    x: npt.NDArray[np.float64],
) -> None:  # fmt: skip
    members = training_places()
    calls = trained.panel.calls[sites][:, members]
    called = calls != MISSING
    p = np.where(called, calls, 0).sum(axis=1) / (2 * called.sum(axis=1))
    np.testing.assert_array_equal([row["af"] for row in loadings], p)
    assert [row["site"] for row in loadings] == list(range(len(sites)))
    assert sites == sorted(sites)
    eigenvalues, scores, right = components(x[:, members], N_PCS)
    (model,) = rows_of(trained.warehouse, "ancestry_models")
    np.testing.assert_allclose(model["eigenvalues"], eigenvalues, rtol=1e-10)
    np.testing.assert_allclose(weights, right, atol=1e-9)
    np.testing.assert_allclose(weights.T @ weights, np.eye(N_PCS), atol=1e-12)
    by_id = {row["sample_id"]: row for row in rows_of(trained.warehouse, "ancestry_training")}
    rows = [by_id[trained.panel.ids[sample]] for sample in members]
    assert len(by_id) == len(members)
    np.testing.assert_allclose([row["pcs"] for row in rows], scores, atol=1e-9)
    left_out = left_out_scores(x[:, members], N_PCS)
    np.testing.assert_allclose([row["left_out_pcs"] for row in rows], left_out, atol=1e-9)
    assert [row["ancestry"] for row in rows] == [trained.panel.labels[sample] for sample in members]


def test_a_model_says_what_it_was_trained_on(trained: Trained, sites: list[int]) -> None:
    (model,) = rows_of(trained.warehouse, "ancestry_models")
    assert (model["name"], model["build"], model["trained_on"]) == ("reference", "GRCh38", "panel")
    assert (model["n_samples"], model["n_sites"]) == (97, len(sites))
    assert (model["groups"], model["group_sizes"]) == (list(GROUPS), [24, 24, 25, 24])
    assert trained.model_id == model["model_id"] == f"reference-{model['sha256'][:12]}"
    counted = trained.trained
    assert (counted["samples_trained_on"], counted["samples_without_label"]) == (97, 2)
    assert (counted["samples_labelled_unassigned"], counted["sites"]) == (1, len(sites))


def test_training_samples_land_on_their_own_components(
    trained: Trained, people: dict[str, dict[str, Any]]
) -> None:
    rows = rows_of(trained.warehouse, "ancestry_training")
    found = [people[row["sample_id"]]["pcs"] for row in rows]
    np.testing.assert_allclose(found, [row["pcs"] for row in rows], atol=1e-8)


def test_scores_are_those_of_float_arithmetic(
    trained: Trained, people: dict[str, dict[str, Any]], weights: npt.NDArray[np.float64],
    x: npt.NDArray[np.float64],
) -> None:  # fmt: skip
    found = [people[name]["pcs"] for name in trained.panel.ids]
    np.testing.assert_allclose(found, x.T @ weights, atol=1e-10)


def test_where_sites_are_lacking_scores_are_least_squares(
    trained: Trained, people: dict[str, dict[str, Any]], weights: npt.NDArray[np.float64],
    loadings: list[dict[str, Any]], sites: list[int],
) -> None:  # fmt: skip
    there = np.isin(sites, trained.cohort_sites)
    assert 0.7 < there.mean() < 0.9
    p = np.array([row["af"] for row in loadings])
    x = standardised(trained.cohort.calls[sites], p, len(sites))
    expected, *_ = np.linalg.lstsq(weights[there], x[there], rcond=None)
    found = [people[name]["pcs"] for name in trained.cohort.ids]
    np.testing.assert_allclose(found, expected.T, atol=1e-10)
    n_called = (trained.cohort.calls[sites] != MISSING)[there].sum(axis=0)
    assert [people[name]["n_sites_called"] for name in trained.cohort.ids] == n_called.tolist()


def test_people_get_the_label_of_their_population(
    trained: Trained, people: dict[str, dict[str, Any]]
) -> None:
    few = trained.cohort.ids[SPARSELY_CALLED]
    for name, label in zip(trained.cohort.ids, trained.cohort.labels, strict=True):
        row = people[name]
        if name == few:
            assert (row["ancestry"], row["ancestry_before_threshold"], row["probabilities"]) == (None,) * 3
            assert row["not_labelled"] == "few_called_sites"
            assert len(row["pcs"]) == N_PCS
            continue
        assert row["not_labelled"] is None
        known = {group: row["probabilities"][group] for group in GROUPS}
        assert sum(known.values()) == pytest.approx(1)
        assert {row["probabilities"][group] for group in ("amr", "mid", "oth")} == {None}
        assert row["ancestry_before_threshold"] == max(known, key=known.__getitem__) == label
        assert row["ancestry"] == (label if known[label] > 0.75 else "oth")
        assert (row["model_id"], row["callset_id"]) == (trained.model_id, "cohort")


def test_labels_are_counted_and_held_against_the_supplied_ones(
    trained: Trained, people: dict[str, dict[str, Any]]
) -> None:
    counted = trained.projected
    labels = [row["ancestry"] for row in people.values()]
    assert (counted["callsets"], counted["samples"], counted["samples_not_labelled"]) == (2, 120, 1)
    for group in (*GROUPS, "oth"):
        assert counted.get(f"samples_{group}", 0) == labels.count(group)
    supplied = dict(zip(trained.panel.ids, panel_labels(trained.panel), strict=True))
    agree = [people[name]["ancestry"] == label for name, label in supplied.items() if label]
    assert counted["labels_that_agree"] == sum(agree) > 90
    assert counted["labels_that_differ"] == len(agree) - sum(agree) > 0
    held = {row["sample_id"]: row["ancestry"] for row in rows_of(trained.warehouse, "samples")}
    kept = {name: label or None for name, label in supplied.items()}
    assert held == kept | dict.fromkeys(trained.cohort.ids)


@pytest.mark.long
def test_results_are_equal_bit_for_bit_however_the_work_is_cut(
    trained: Trained, new_warehouse: NewWarehouse, tmp_path: Path
) -> None:
    cut = new_warehouse("genome.bin_width_bases=20000000", "ingest.batch_bytes=1024")
    order = np.random.default_rng(3).permutation(len(trained.panel.calls))
    labels = panel_labels(trained.panel)
    add_callset(cut, tmp_path, "panel", trained.panel, labels=labels, sites=order.tolist())
    add_callset(cut, tmp_path, "cohort", trained.cohort, sites=trained.cohort_sites[::-1])
    spark = cut.spark
    spark.conf.set("spark.sql.shuffle.partitions", "5")
    spark.conf.set("spark.sql.files.maxPartitionBytes", "20000")
    try:
        model_id, _ = train_model(cut, callset_id="panel", name="reference")
        project_samples(cut)
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", "2")
        spark.conf.unset("spark.sql.files.maxPartitionBytes")
    assert model_id == trained.model_id
    for name in ("ancestry_models", "ancestry_loadings", "ancestry_training", "ancestries"):
        assert rows_of(cut, name) == rows_of(trained.warehouse, name)


def test_training_again_replaces_the_same_rows(trained: Trained) -> None:
    tables = (ANCESTRY_MODELS, ANCESTRY_LOADINGS, ANCESTRY_TRAINING)
    before = {table.name: rows_of(trained.warehouse, table.name) for table in tables}
    model_id, _ = train_model(trained.warehouse, callset_id="panel", name="reference")
    assert model_id == trained.model_id
    assert {table.name: rows_of(trained.warehouse, table.name) for table in tables} == before


@pytest.mark.long
def test_a_model_comes_from_another_warehouse_without_its_people(
    trained: Trained, new_warehouse: NewWarehouse, tmp_path: Path, people: dict[str, dict[str, Any]]
) -> None:
    here = new_warehouse()
    add_callset(here, tmp_path, "cohort", trained.cohort, sites=trained.cohort_sites)
    model_id, counted = project_samples(here, source=trained.warehouse.root, model="reference")
    assert model_id == trained.model_id
    assert rows_of(here, "ancestries") == [row for row in people.values() if row["callset_id"] == "cohort"]
    for name in ("ancestry_models", "ancestry_loadings"):
        assert rows_of(here, name) == rows_of(trained.warehouse, name)
    assert not here.exists(ANCESTRY_TRAINING)
    assert (counted["labels_that_agree"], counted["labels_that_differ"]) == (0, 0)
    before = rows_of(here, "ancestries")
    project_samples(here, callset_ids=["cohort"])
    assert rows_of(here, "ancestries") == before


@pytest.mark.long
def test_only_chosen_samples_are_trained_on_and_the_randomised_method_finds_the_same_axes(
    trained: Trained, weights: npt.NDArray[np.float64], tmp_path: Path
) -> None:
    other = copy_of(trained.warehouse, tmp_path, max_exact_samples=50)
    chosen = [trained.panel.ids[sample] for sample in training_places()]
    model_id, counted = train_model(other, callset_id="panel", name="approximate", sample_ids=chosen)
    assert (counted["samples_trained_on"], counted["samples_not_chosen"]) == (97, 3)
    rows = [row for row in rows_of(other, "ancestry_loadings") if row["model_id"] == model_id]
    found = np.array([row["loadings"] for row in rows])
    for pc in range(3):
        assert abs(found[:, pc] @ weights[:, pc]) > 1 - 1e-6
    assert trained.model_id != model_id
