"""A reference panel with a trained model, and a cohort that it labels."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from allofus_spark.ancestry import project_samples, train_model
from allofus_spark.ingest import ingest_genotypes, ingest_samples
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse

from .populations import MISSING, People, simulate, write_labels, write_vcf

GROUPS = ("afr", "eas", "eur", "sas")
SETTINGS = ("ancestry.n_pcs=5", "ancestry.n_trees=60", "sites.min_call_rate=0.9", "ancestry.min_maf=0.02")
N_SITES = 600
LACKING = 5  # every fifth site is not in the cohort
# Of the panel's people: two have no label, one is labelled oth.
UNLABELLED, UNASSIGNED = (3, 40), 77
SPARSELY_CALLED = 6  # of the cohort


@dataclass(frozen=True)
class Trained:
    """Callsets ``panel`` and ``cohort`` in one warehouse, projected by the model of the panel."""

    warehouse: Warehouse
    panel: People
    cohort: People
    cohort_sites: Sequence[int]
    model_id: str
    trained: dict[str, int]
    projected: dict[str, int]


NewWarehouse = Callable[..., Warehouse]


@pytest.fixture(scope="session")
def new_warehouse(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> NewWarehouse:
    """Makes an empty warehouse with small models; arguments are settings that come on top."""

    def make(*overrides: str) -> Warehouse:
        folder = tmp_path_factory.mktemp("ancestry") / "warehouse"
        return Warehouse(spark, load_settings(warehouse=str(folder), overrides=[*SETTINGS, *overrides]))

    return make


def add_callset(
    warehouse: Warehouse,
    folder: Path,
    callset_id: str,
    people: People,
    *,
    labels: Sequence[str] | None = None,
    sites: Sequence[int] | None = None,
    build: str = "GRCh38",
) -> None:
    if labels is not None:
        file = write_labels(folder / f"{callset_id}.tsv", people, labels)
        ingest_samples(warehouse, file, callset_id=callset_id)
    vcf = write_vcf(folder / f"{callset_id}.vcf", people, sites)
    ingest_genotypes(warehouse, [str(vcf)], callset_id=callset_id, callset_date="2026-01-01", build=build)


def panel_labels(panel: People) -> list[str]:
    labels = list(panel.labels)
    for sample in UNLABELLED:
        labels[sample] = ""
    labels[UNASSIGNED] = "oth"
    return labels


@pytest.fixture(scope="session")
def everybody() -> tuple[People, People]:
    """A panel of 4 × 25 people and a cohort of 4 × 5 from the same populations."""
    people = simulate(GROUPS, 30, n_sites=N_SITES, missing=0.01)
    is_new = np.arange(120) % 6 == 5
    cohort = people.some(np.flatnonzero(is_new).tolist())
    lost = np.random.default_rng(2).random(N_SITES) < 0.4
    cohort.calls[lost, SPARSELY_CALLED] = MISSING
    return people.some(np.flatnonzero(~is_new).tolist()), cohort


@pytest.fixture(scope="session")
def trained(
    everybody: tuple[People, People], new_warehouse: NewWarehouse, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    panel, cohort = everybody
    folder, warehouse = tmp_path_factory.mktemp("trained"), new_warehouse()
    sites = [site for site in range(N_SITES) if site % LACKING]
    add_callset(warehouse, folder, "panel", panel, labels=panel_labels(panel))
    add_callset(warehouse, folder, "cohort", cohort, sites=sites)
    model_id, counted = train_model(warehouse, callset_id="panel", name="reference")
    projected_by, labelled = project_samples(warehouse)
    assert projected_by == model_id
    return Trained(warehouse, panel, cohort, sites, model_id, counted, labelled)


def copy_of(warehouse: Warehouse, folder: Path, **ancestry: object) -> Warehouse:
    """A copy that a test may change; ``ancestry`` are other values of its settings of that section."""
    root = shutil.copytree(warehouse.root, folder / "copy")
    settings = warehouse.settings
    changed = {"warehouse": str(root), "ancestry": settings.ancestry.model_copy(update=ancestry)}
    return Warehouse(warehouse.spark, settings.model_copy(update=changed))
