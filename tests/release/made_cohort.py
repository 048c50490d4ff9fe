"""Cohorts as matrices of calls, the warehouse that says the same, and an attacker for tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pyspark.sql import SparkSession

from allofus_spark.genome import build_as_text, load_build, variant_id
from allofus_spark.published import Manifest
from allofus_spark.release import Released, publish_release
from allofus_spark.settings import load_settings
from allofus_spark.tables import (
    BIN_WIDTH_PROPERTY,
    BUILD_PROPERTY,
    CALLSETS,
    CATALOGUE_SETS,
    CONSEQUENCES,
    NOVELTY,
    SAMPLES,
    VARIANT_SITES,
    VARIANTS,
    RowsWrite,
    Warehouse,
    allele_frequencies,
    start_run,
)

GROUPS = ("afr", "amr", "eur", "oth")
BIN_WIDTH = 10_000_000
STATUSES = ("reported", "unreported", "known_site_new_allele", "not_assessable", None)


@dataclass(frozen=True)
class Cohort:
    """``copies`` uint8[sites, people] of alt at sites (contig, position, ref, alt); labels of people."""

    sites: list[tuple[str, int, str, str]]
    copies: np.ndarray
    labels: list[str | None]
    groups: tuple[str, ...] = GROUPS

    def people(self, chosen: np.ndarray) -> Cohort:
        """The cohort of some people."""
        return replace(
            self, copies=self.copies[:, chosen], labels=[self.labels[k] for k in np.flatnonzero(chosen)]
        )

    def cells(self, group: str) -> dict[str, np.ndarray]:
        """ac, an and n_hom of a group, or of all."""
        own = [group in ("all", label) for label in self.labels]
        calls = self.copies[:, own]
        return {
            "ac": calls.sum(axis=1, dtype=np.int64),
            "an": np.full(len(calls), 2 * calls.shape[1], np.int64),
            "n_hom": (calls == 2).sum(axis=1).astype(np.int64),
        }


def random_cohort(seed: int, n_sites: int, sizes: dict[str | None, int]) -> Cohort:
    """Alleles of every frequency, alike in all groups or in one alone, at sites of three contigs."""
    rng = np.random.default_rng(seed)
    contigs = ("chr2", "chr10", "chrM")
    positions = rng.choice(np.arange(1, 3 * BIN_WIDTH), n_sites, replace=False)
    sites = [(contigs[k % 3], int(p) if k % 3 < 2 else 1 + k, "A", "G") for k, p in enumerate(positions)]
    labels = [label for label, size in sizes.items() for _ in range(size)]
    rates = rng.beta(0.3, 1.5, (n_sites, 1)) * rng.choice([0, 1], (n_sites, len(sizes)), p=[0.3, 0.7])
    by_person = np.repeat(rates, list(sizes.values()), axis=1)
    return Cohort(sites, rng.binomial(2, by_person).astype(np.uint8), labels)


def cohort_warehouse(spark: SparkSession, root: str, cohort: Cohort, *overrides: str) -> Warehouse:
    """A warehouse of the cohort; novelty and consequences follow from the place of a site in its list."""
    groups = f"frequencies.ancestry_groups={list(cohort.groups)}"
    own = [groups, "frequencies.unassigned_group=oth", "ancestry.labels=supplied", *overrides]
    warehouse = Warehouse(spark, load_settings(warehouse=root, overrides=own))
    properties = {
        BUILD_PROPERTY: build_as_text(load_build("GRCh38")),
        BIN_WIDTH_PROPERTY: str(BIN_WIDTH),
    }
    keys = [(site[0], site[1] // BIN_WIDTH, *site[1:]) for site in cohort.sites]
    n = len(cohort.labels)
    callset = ("c1", dt.date(2026, 1, 1), "GRCh38", n, "", "", [], None, [], None)
    samples = [("c1", f"S{k}", k, None, label) for k, label in enumerate(cohort.labels)]
    site = ([], 50.0, None)
    writes = [
        RowsWrite(CALLSETS, [callset], properties=properties),
        RowsWrite(SAMPLES, samples),
        RowsWrite(VARIANTS, [(*key, _id(key), "snv", "c1") for key in keys]),
        RowsWrite(VARIANT_SITES, [("c1", *k, *site, k[2], k[3], k[4], 1, 1, *[0] * 7, None) for k in keys]),
        RowsWrite(allele_frequencies(cohort.groups), _frequencies(cohort, keys)),
        RowsWrite(CATALOGUE_SETS, [("default", 1, {"dbsnp": "156"}, {})]),
        RowsWrite(NOVELTY, [row for place, key in enumerate(keys) for row in _novelty(place, key)]),
        RowsWrite(CONSEQUENCES, [row for place, key in enumerate(keys) for row in _consequences(place, key)]),
    ]
    with start_run(warehouse, "make") as run:
        run.write(*writes)
    return warehouse


def _id(key: tuple[Any, ...]) -> str:
    return variant_id(key[0], key[2], key[3], key[4])


def _frequencies(cohort: Cohort, keys: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    cells = {group: cohort.cells(group) for group in ("all", *cohort.groups)}
    rows = []
    for place, key in enumerate(keys):
        structs = []
        for own in cells.values():
            ac, an, n_hom = (int(own[name][place]) for name in ("ac", "an", "n_hom"))
            af = ac / an if an else None
            structs.append(
                {"ac": ac, "an": an, "af": af, "sc": ac - n_hom, "n_hom": n_hom, "n_hemi": 0, "faf95": af}
            )
        rows.append((*key, _id(key), *[structs[0]] * 3, *structs[1:], *[None] * 6))
    return rows


def _novelty(place: int, key: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    status = STATUSES[place % len(STATUSES)]
    if status is None:
        return []
    reports = [{"catalogue": "dbsnp", "known_id": f"rs{100 + place};rs9"}] if status == "reported" else []
    reason = "not_covered" if status == "not_assessable" else None
    known_to = ["dbsnp"] if status == "known_site_new_allele" else []
    return [("default", *key, status, reason, reports, known_to, ["dbsnp"])]


def _consequences(place: int, key: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    if place % 4 == 0:
        return []
    gene = ("COMT", "PCSK9")[place % 2]
    about = (f"ENST{place:011}", f"ENSG-{gene}", gene, "protein_coding")
    what = (["missense_variant"], "MODERATE", "158V>158M", None, True, True, None, "csq 1.24")
    return [("csq", *key, *about, *what)]


@dataclass
class Spy:
    """An attacker that finds what it is told to, and remembers what it was given."""

    finds: list[Any] = field(default_factory=list)
    asked: list[tuple[Path, list[Path]]] = field(default_factory=list)

    @property
    def derived(self) -> list[Any]:
        return self.finds

    @property
    def n_derived(self) -> int:
        return len(self.finds)

    def as_dict(self) -> dict[str, Any]:
        return {"derived": self.finds}

    def __call__(self, folder: Path, earlier: Sequence[Path], manifest: Manifest) -> Spy:
        assert not (folder / "manifest.json").exists(), "a release is attacked before it is one"
        assert manifest.products
        self.asked.append((folder, list(earlier)))
        return self


def publish(warehouse: Warehouse, version: str, releases: Path | None = None) -> Released:
    """A release without a report, which nobody attacks."""
    return publish_release(warehouse, version, verify=Spy(), releases=releases and str(releases))
