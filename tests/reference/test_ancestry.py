"""Models of ancestry against PLINK 2 and Hail, and the labels of people who were left out of the training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.model_selection import train_test_split

from allofus_spark.ancestry import project_samples, train_model
from allofus_spark.hail_bridge import start_hail
from allofus_spark.tables import SAMPLES, Warehouse

from .conftest import Cohort
from .pca import pca_with_hail, pca_with_plink

pytestmark = pytest.mark.long


N_PCS = 16
FIRST = 5
PEDDY = "multisample/peddy_1kg_2504_exome_sites.grch38.vcf.gz"


@dataclass(frozen=True)
class Halves:
    """1000 Genomes at exonic sites: half of each label trained the model, which labelled everybody."""

    cohort: Cohort
    trained: list[str]
    model_id: str

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Rows of a table, those of the model where it says of which they are, in key order."""
        table = self.cohort.warehouse.contract(name)
        rows = self.cohort.warehouse.read(table).orderBy(*table.key).collect()
        return [row.asDict(recursive=True) for row in rows if row.model_id == self.model_id]


def supplied_labels(warehouse: Warehouse) -> dict[str, str]:
    rows = [row for row in warehouse.rows(SAMPLES) if row.sample_index is not None]
    return {row.sample_id: row.ancestry for row in sorted(rows, key=lambda row: row.sample_index)}


@pytest.fixture(scope="module")
def halves(realdata: Path, new_cohort: Callable[..., Cohort]) -> Halves:
    panel = realdata / "ancestry" / "integrated_call_samples_v3.20130502.ALL.panel.tsv"
    cohort = new_cohort("GRCh38", [realdata / PEDDY], panel)
    labels = supplied_labels(cohort.warehouse)
    chosen, _ = train_test_split(list(labels), test_size=0.5, random_state=0, stratify=list(labels.values()))
    model_id, _ = train_model(cohort.warehouse, callset_id="c", name="half", sample_ids=chosen)
    project_samples(cohort.warehouse)
    return Halves(cohort, chosen, model_id)


@pytest.fixture(scope="module")
def plink_vectors(
    halves: Halves, oracle: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, npt.NDArray[np.float64]]:
    """Eigenvectors by sample over the model's sites."""
    sites = [
        (row["contig"], row["position"], row["ref"], row["alt"]) for row in halves.rows("ancestry_loadings")
    ]
    folder, (vcf,) = tmp_path_factory.mktemp("plink"), halves.cohort.files
    ids, vectors, _ = pca_with_plink(oracle("plink2"), vcf, sites, halves.trained, N_PCS, folder)
    assert sorted(ids) == sorted(halves.trained)
    return dict(zip(ids, vectors, strict=True))


def correlations(halves: Halves, vectors: dict[str, npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    rows = halves.rows("ancestry_training")
    ours = np.array([row["pcs"] for row in rows])
    theirs = np.array([vectors[row["sample_id"]] for row in rows])
    return np.array([abs(np.corrcoef(ours[:, pc], theirs[:, pc])[0, 1]) for pc in range(FIRST)])


def test_scores_are_those_of_plink(halves: Halves, plink_vectors: dict[str, npt.NDArray[np.float64]]) -> None:
    assert np.all(correlations(halves, plink_vectors) > 0.9999)


def test_randomised_scores_are_those_of_plink(
    halves: Halves, plink_vectors: dict[str, npt.NDArray[np.float64]]
) -> None:
    settings = halves.cohort.warehouse.settings
    ancestry = settings.ancestry.model_copy(update={"max_exact_samples": 1_000})
    other = Warehouse(halves.cohort.warehouse.spark, settings.model_copy(update={"ancestry": ancestry}))
    model_id, _ = train_model(other, callset_id="c", name="randomised", sample_ids=halves.trained)
    randomised = Halves(halves.cohort, halves.trained, model_id)
    assert np.all(correlations(randomised, plink_vectors) > 0.999)


def test_people_who_were_left_out_get_their_label(halves: Halves) -> None:
    supplied = supplied_labels(halves.cohort.warehouse)
    inferred = {row["sample_id"]: row["ancestry"] for row in halves.rows("ancestries")}
    rest = [name for name in supplied if name not in set(halves.trained)]
    assert len(rest) == 1252
    for group, least in {"afr": 0.985, "eas": 0.985, "eur": 0.985, "sas": 0.985, "amr": 0.90}.items():
        right = [inferred[name] == group for name in rest if supplied[name] == group]
        assert np.mean(right) >= least, group


def test_people_of_the_training_land_on_their_own_scores(halves: Halves) -> None:
    found = {row["sample_id"]: row["pcs"] for row in halves.rows("ancestries")}
    for row in halves.rows("ancestry_training"):
        np.testing.assert_allclose(found[row["sample_id"]], row["pcs"], atol=1e-8)


def test_scores_and_loadings_are_those_of_hail(
    realdata: Path, new_warehouse: Callable[..., Warehouse], tmp_path: Path
) -> None:
    """100 people with missing calls; the scale too is Hail's."""
    vcf = realdata / "multisample" / "hail_sample_100_chr20_AD_DP_GQ_PL.grch37.vcf.gz"
    overrides = ("ancestry.n_pcs=4", "sites.min_call_rate=0.8", "ancestry.min_maf=0.05")
    warehouse = new_warehouse(*overrides)
    ids = labelled_people(warehouse, vcf, tmp_path)
    train_model(warehouse, callset_id="c", name="hail")
    rows = warehouse.read(warehouse.contract("ancestry_loadings")).orderBy("site").collect()
    assert any(row.af * 200 % 1 for row in rows)  # calls are missing
    sites = [(row.contig, row.position, row.ref, row.alt) for row in rows]
    start_hail(warehouse.spark, "GRCh37")
    scores, loadings, eigenvalues = pca_with_hail(vcf, "GRCh37", sites, ids, 4)
    (model,) = warehouse.read(warehouse.contract("ancestry_models")).collect()
    np.testing.assert_allclose(model.eigenvalues, eigenvalues, rtol=1e-6)
    training = warehouse.read(warehouse.contract("ancestry_training")).collect()
    ours = np.array([row.pcs for row in training])
    theirs = np.array([scores[row.sample_id] for row in training])
    signs = np.sign((ours * theirs).sum(axis=0))
    np.testing.assert_allclose(ours, theirs * signs, atol=1e-6)
    expected = np.array([loadings[site] for site in sites]) * signs
    np.testing.assert_allclose([row.loadings for row in rows], expected, atol=1e-6)


def labelled_people(warehouse: Warehouse, vcf: Path, folder: Path) -> list[str]:
    """Ingests people with any two labels, and gives their ids."""
    from cyvcf2 import VCF

    from allofus_spark.ingest import ingest_samples

    from .engine import ingest

    ids: list[str] = list(VCF(str(vcf)).samples)
    lines = [f"{name}\t{('afr', 'eur')[number % 2]}" for number, name in enumerate(ids)]
    labels = folder / "labels.tsv"
    labels.write_text("\n".join(["sample_id\tancestry", *lines]) + "\n")
    ingest_samples(warehouse, labels, callset_id="c")
    ingest(warehouse, vcf, build="GRCh37")
    return ids
