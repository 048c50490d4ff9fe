"""What training and projection refuse, and what they say."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression

from allofus_spark.ancestry import project_samples, train_model
from allofus_spark.ancestry.forest import forest_bytes, grow_forest, read_forest
from allofus_spark.ancestry.models import find_model, model_writes, read_model
from allofus_spark.ancestry.training import TrainingSet, check_can_be_trained
from allofus_spark.errors import BadSamples, BadSource, BuildMismatch, NotFound
from allofus_spark.settings import AncestrySettings, load_settings
from allofus_spark.tables import (
    ANCESTRY_LOADINGS,
    ANCESTRY_MODELS,
    SnapshotReader,
    Warehouse,
    ancestries,
    start_run,
)

from .conftest import NewWarehouse, Trained, add_callset
from .populations import simulate

pytestmark = pytest.mark.long

TINY = simulate(("afr", "eur"), 4, n_sites=30, seed=9)
ELSEWHERE = replace(TINY, ids=tuple("abcdefgh"), first_position=1_000_001)


def labelled(*labels: str) -> TrainingSet:
    ids = tuple(f"s{number}" for number in range(len(labels)))
    return TrainingSet("panel", 9, np.arange(len(labels)), ids, labels)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            (),
            "callset panel: none of its 9 samples that may be trained on has an ancestry label; give labels ",
        ),
        (("eur",) * 4, "all 4 labelled samples are eur, and one group cannot be told from others"),
        (("eur", "xyz", "abc"), "labels that the settings do not have: abc, xyz. Known: afr, amr"),
        (("eur", "afr") * 4, "8 labelled samples make 7 principal components at most, not 16; give more"),
    ],
)
def test_labels_that_cannot_be_trained_on_are_refused(labels: Sequence[str], message: str) -> None:
    with pytest.raises(BadSamples, match=re.escape(message)):
        check_can_be_trained(labelled(*labels), load_settings())


def test_with_too_few_samples_it_says_how_to_lower_the_components() -> None:
    with pytest.raises(BadSamples, match=r"--set ancestry\.n_pcs=7$"):
        check_can_be_trained(labelled(*("eur", "afr") * 4), load_settings())


@pytest.fixture(scope="module")
def small(new_warehouse: NewWarehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Eight unlabelled people on GRCh37, at sites that the panel lacks but for its first two."""
    warehouse = new_warehouse()
    add_callset(warehouse, tmp_path_factory.mktemp("small"), "tiny", TINY, build="GRCh37")
    return warehouse


def test_a_callset_without_labels_is_no_reference(small: Warehouse) -> None:
    with pytest.raises(
        BadSamples, match="none of its 8 samples that may be trained on has an ancestry label"
    ):
        train_model(small, callset_id="tiny", name="m")
    with pytest.raises(BadSamples, match="1 of 1 sample ids are not in callset tiny: nobody"):
        train_model(small, callset_id="tiny", name="m", sample_ids=["nobody"])
    with pytest.raises(NotFound, match="callset other is not active here; there are: tiny"):
        train_model(small, callset_id="other", name="m")
    with pytest.raises(BadSource, match="model name 'a b': use 1 to 100 letters"):
        train_model(small, callset_id="tiny", name="a b")


def test_a_model_of_another_build_is_refused(small: Warehouse, trained: Trained) -> None:
    message = f"model {trained.model_id} is of build GRCh38, warehouse .* holds GRCh37: train a model on"
    with pytest.raises(BuildMismatch, match=message):
        project_samples(small, source=trained.warehouse.root, model=trained.model_id)
    assert not small.exists(ANCESTRY_MODELS)


def test_a_warehouse_without_a_model_says_where_one_comes_from(small: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"holds no model of ancestry: train one .* or take one .* --from"):
        project_samples(small)
    with pytest.raises(NotFound, match=f"there is no warehouse at {tmp_path}: no run has finished there"):
        project_samples(small, source=str(tmp_path))
    with pytest.raises(NotFound, match="callsets that are not active here: other; there are: tiny"):
        project_samples(small, callset_ids=["other"])


def test_callsets_with_few_or_none_of_the_sites_are_refused(
    trained: Trained, new_warehouse: NewWarehouse, tmp_path: Path
) -> None:
    here = new_warehouse()
    add_callset(here, tmp_path, "few", trained.cohort, sites=range(100))
    n_sites = SnapshotReader(trained.warehouse).rows(ANCESTRY_MODELS)[0].n_sites
    few = rf"callset few has \d+ of the {n_sites} sites of model {trained.model_id}, a share of 0\.1\d\d, "
    with pytest.raises(BadSource, match=few + r"under ancestry\.min_site_share 0\.5\. Train a model on the"):
        project_samples(here, source=trained.warehouse.root, model="reference")
    add_callset(here, tmp_path, "none", ELSEWHERE)
    with pytest.raises(
        BadSource, match=f"callset none has none of the {n_sites} sites of model .* covers other"
    ):
        project_samples(here, source=trained.warehouse.root, model="reference", callset_ids=["none"])
    assert not here.exists(ancestries(here.settings.frequencies.ancestry_groups))


def test_a_group_that_the_settings_do_not_have_is_refused(
    trained: Trained, new_warehouse: NewWarehouse, tmp_path: Path
) -> None:
    here = new_warehouse('frequencies.ancestry_groups=["afr", "eur", "oth"]')
    add_callset(here, tmp_path, "cohort", trained.cohort, sites=trained.cohort_sites)
    with pytest.raises(
        BadSource, match=r"groups that the settings do not have: eas, sas\. Add them to frequ"
    ):
        project_samples(here, source=trained.warehouse.root, model="reference")


@pytest.fixture(scope="module")
def two_models(trained: Trained, new_warehouse: NewWarehouse) -> SnapshotReader:
    """Two models of one name in a warehouse of their own."""
    here = new_warehouse()
    tables = SnapshotReader(trained.warehouse)
    (row,) = (row for row in tables.rows(ANCESTRY_MODELS) if row.model_id == trained.model_id)
    model = read_model(tables.read(ANCESTRY_LOADINGS), row)
    with start_run(here, "test") as run:
        for one in (model, replace(model, frequency=model.frequency / 2)):
            run.write(*model_writes(one))
    return SnapshotReader(here)


def test_of_several_models_one_is_named(two_models: SnapshotReader) -> None:
    ids = sorted(row.model_id for row in two_models.rows(ANCESTRY_MODELS))
    for name, called in ((None, ""), ("reference", " called reference")):
        with pytest.raises(
            BadSource, match=f"W holds 2 models{called}: {ids[0]}, {ids[1]}; name one .* --model"
        ):
            find_model(two_models, "W", name)
    with pytest.raises(NotFound, match=f"warehouse W holds no model other; it has: {ids[0]}, {ids[1]}"):
        find_model(two_models, "W", "other")
    assert find_model(two_models, "W", ids[1]).model_id == ids[1]


def test_rows_that_are_not_those_of_the_checksum_are_refused(two_models: SnapshotReader) -> None:
    row = two_models.rows(ANCESTRY_MODELS)[0]
    loadings = two_models.read(ANCESTRY_LOADINGS)
    assert read_model(loadings, row).model_id == row.model_id
    with pytest.raises(BadSource, match="do not have the checksum that it was written with: rows were lost"):
        read_model(loadings.where("site <> 7"), row)


# -- the forest's bytes --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def forest() -> RandomForestClassifier:
    return grown()


def grown() -> RandomForestClassifier:
    scores = np.random.default_rng(1).normal(size=(40, 3))
    labels = np.where(scores[:, 0] > 0, "afr", "eur").tolist()
    return grow_forest(scores, labels, AncestrySettings(n_trees=10))


def test_equal_forests_have_equal_bytes_and_come_back(forest: RandomForestClassifier) -> None:
    data = forest_bytes(forest)
    assert forest_bytes(grown()) == data
    again = read_forest(data, "m", ("afr", "eur"), 3)
    scores = np.random.default_rng(2).normal(size=(50, 3))
    np.testing.assert_array_equal(again.predict_proba(scores), forest.predict_proba(scores))


def rewritten(data: bytes, change: Callable[[str], str]) -> bytes:
    """The bytes with another description."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(made, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, change(content.decode()) if name == "schema.json" else content)
    return made.getvalue()


def test_bytes_that_are_no_forest_of_ours_are_not_run(forest: RandomForestClassifier) -> None:
    data = forest_bytes(forest)
    strange = rewritten(
        data,
        lambda text: text.replace(
            '"__class__": "RandomForestClassifier"', '"__class__": "system"', 1
        ).replace('"__module__": "sklearn.ensemble._forest"', '"__module__": "os"', 1),
    )
    for damaged, message in (
        (
            strange,
            r"model m: its forest holds types that no forest of ours has: os\.system.* It was not read",
        ),
        (data[:1000], r"model m: its forest cannot be read \(BadZipFile: .*\): it is damaged, or of another"),
        (b"", "model m: its forest cannot be read"),
        (rewritten(data, lambda text: text[:500]), "model m: its forest cannot be read"),
        (skops.io.dumps(LinearRegression()), "its forest is a LinearRegression, not a random forest"),
        (skops.io.dumps(RandomForestClassifier()), r"its forest tells  apart by 0 PCs"),
    ):
        with pytest.raises(BadSource, match=message):
            read_forest(damaged, "m", ("afr", "eur"), 3)
    with pytest.raises(
        BadSource, match="its forest tells afr, eur apart by 3 PCs, the model has afr, eas and 3"
    ):
        read_forest(data, "m", ("afr", "eas"), 3)
