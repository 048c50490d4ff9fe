"""Reference callsets that a careless user gives: samples without calls, people who are all alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from allofus_spark.ancestry import project_samples, train_model
from allofus_spark.errors import BadSource, NotFound, SettingsError
from allofus_spark.tables import ANCESTRY_MODELS, ANCESTRY_TRAINING

from .conftest import NewWarehouse, add_callset
from .populations import MISSING, simulate

pytestmark = pytest.mark.long

PANEL = simulate(("afr", "eur"), 15, n_sites=120, fst=0.3, seed=4)
FEW = (2, 20)  # without most of their calls


def test_samples_with_few_calls_are_not_trained_on(new_warehouse: NewWarehouse, tmp_path: Path) -> None:
    here = new_warehouse("ancestry.n_pcs=2")
    people = replace(PANEL, calls=PANEL.calls.copy())
    people.calls[:, FEW[0]] = MISSING
    people.calls[::3, FEW[1]] = MISSING
    add_callset(here, tmp_path, "panel", people, labels=people.labels)
    model_id, counters = train_model(here, callset_id="panel", name="m")
    assert (counters["samples_trained_on"], counters["samples_with_few_called_sites"]) == (28, 2)
    assert (counters["samples_afr"], counters["samples_eur"]) == (14, 14)
    trained = {row.sample_id for row in here.rows(ANCESTRY_TRAINING)}
    assert set(people.ids) - trained == {people.ids[place] for place in FEW}
    others = [name for place, name in enumerate(people.ids) if place not in FEW]
    same_id, _ = train_model(here, callset_id="panel", name="m", sample_ids=others)
    assert same_id == model_id, "as if they were not there"
    assert [row.n_samples for row in here.rows(ANCESTRY_MODELS)] == [28]


def test_people_who_are_all_alike_are_no_reference(new_warehouse: NewWarehouse, tmp_path: Path) -> None:
    here = new_warehouse("ancestry.n_pcs=2")
    alike = replace(PANEL, calls=np.ones_like(PANEL.calls))
    add_callset(here, tmp_path, "alike", alike, labels=alike.labels)
    with pytest.raises(BadSource, match="callset alike: its samples have the same calls at all sites"):
        train_model(here, callset_id="alike", name="m")
    assert not here.exists(ANCESTRY_MODELS)


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("/no/such/folder", NotFound, "there is no warehouse at /no/such/folder: no run has finished there"),
        ("zzz://nowhere/w", SettingsError, "warehouse zzz://nowhere/w cannot be looked into: .*zzz"),
        ("hdfs://no-such-host.invalid:1/w", SettingsError, "cannot be looked into: .*no-such-host"),
        ("a\\b", SettingsError, "tables cannot lie under a name with"),
    ],
)
def test_models_of_places_that_are_no_warehouse(
    new_warehouse: NewWarehouse, tmp_path: Path, source: str, kind: type[Exception], message: str
) -> None:
    here = new_warehouse()
    add_callset(here, tmp_path, "c", PANEL.some(range(3)))
    with pytest.raises(kind, match=message):
        project_samples(here, source=source)
