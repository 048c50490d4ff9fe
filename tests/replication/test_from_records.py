"""Simulated records through every stage: phenotypes, a scan, and the planted associations seen again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from allofus_spark.association import Request, associate
from allofus_spark.ingest import ingest_genotypes, ingest_samples
from allofus_spark.replication import Replication, ingest_known_associations, replicate
from allofus_spark.settings import load_settings
from allofus_spark.tables import PHENOTYPE_CATALOGUE, REPLICATIONS, Warehouse
from tools.cohort_files import Cohort
from tools.demo_associations import MAP, MAP_VERSION, off_by, planted_effects, read_records
from tools.health_records import KNOWN_FILE

pytestmark = pytest.mark.long


class Read(NamedTuple):
    warehouse: Warehouse
    found: Replication


@pytest.fixture(scope="module")
def read(spark, cohort: Cohort, made, tmp_path_factory) -> Read:
    root = tmp_path_factory.mktemp("from_records") / "warehouse"
    warehouse = Warehouse(spark, load_settings(warehouse=str(root)))
    ingest_samples(warehouse, str(cohort.samples), callset_id="demo", columns={})
    ingest_genotypes(
        warehouse, [str(cohort.vcf)], callset_id="demo", callset_date="2026-01-01", build="GRCh38"
    )
    read_records(warehouse, made, say=print)
    associate(warehouse, Request(covariates=("sex", "age"), assume_unrelated=True, pictures=()))
    ingest_known_associations(warehouse, KNOWN_FILE, name=MAP, version=MAP_VERSION)
    return Read(warehouse, replicate(warehouse, scan="default"))


def test_phenotypes_are_those_of_a_plain_restatement(read: Read, statuses: pd.DataFrame):
    rows = (
        read.warehouse.read(PHENOTYPE_CATALOGUE).where("ancestry = 'all' AND n_cases IS NOT NULL").collect()
    )
    counts = {row.phenotype_id: (row.n_cases, row.n_controls, row.n_excluded) for row in rows}
    plain = {
        phecode: (int((own == 1).sum()), int((own == 0).sum()), int(own.isna().sum()))
        for phecode, own in statuses.items()
    }
    assert counts == plain


def test_planted_effects_are_recovered_within_their_standard_errors(read: Read):
    z = np.array([off_by(effect) for effect in planted_effects(read.warehouse)])
    assert len(z) == 32
    assert np.abs(z).max() < 3.5
    assert 0.6 < np.sqrt((z**2).mean()) < 1.4


def test_powered_associations_are_seen_again_and_the_count_is_about_what_power_says(read: Read):
    rows = {row.ancestry: row for row in read.found.of("any")}
    assert set(rows) == {"afr", "amr", "eas", "eur", "sas"}
    together = {name: sum(row[name] for row in rows.values()) for name in ("tested", "powered", "replicated")}
    assert together["tested"] > 80
    assert sum(row.powered_replicated for row in rows.values()) >= 0.9 * together["powered"] > 0
    # Power is that of lower bounds, so somewhat more is seen than it says.
    expected = sum(row.expected for row in rows.values())
    assert 0.9 * expected < together["replicated"] < 1.6 * expected


def test_frequencies_are_the_cohorts_where_the_map_has_none(read: Read):
    rows = read.warehouse.read(REPLICATIONS).where("status = 'tested'").collect()
    assert {row.frequency_of for row in rows} == {"cohort"}
    assert all(0 < row.risk_allele_frequency < 1 and row.matched == "as_written" for row in rows)
