"""A made-up scan that is held against a map, and the simulated cohort with its records: made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from tests.replication.made_up import Done, make_replication
from tests.replication.simulated_cohort import make_cohort
from tools import health_records
from tools.cohort_files import Cohort
from tools.omop_files import CODE_FILE, HealthRecords


@pytest.fixture(scope="package")
def done(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Done:
    return make_replication(spark, tmp_path_factory.mktemp("replicate"))


@pytest.fixture(scope="package")
def cohort(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return make_cohort(realdata, tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="package")
def made(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> HealthRecords:
    return health_records.make_health_records(cohort, tmp_path_factory.mktemp("records"))


def omop_table(made: HealthRecords, name: str) -> pd.DataFrame:
    """A table of the records, codes as text."""
    texts = {"condition_source_value": str, "concept_code": str}
    return pd.read_csv(made.omop / f"{name}.csv.gz", dtype=texts)


@pytest.fixture(scope="package")
def statuses(made: HealthRecords) -> pd.DataFrame:
    """People by phecode: 1 case, 0 control, NaN neither, as DESIGN's rules have it, without the engine."""
    conditions = omop_table(made, "condition_occurrence").merge(
        omop_table(made, "concept"), left_on="condition_source_concept_id", right_on="concept_id"
    )
    codes = pd.read_csv(CODE_FILE, sep="\t", dtype=str).rename(columns={"ICD": "concept_code"})
    codes["vocabulary_id"] = codes["flag"].map({"9": "ICD9CM", "10": "ICD10CM"})
    coded = conditions.merge(codes, on=["vocabulary_id", "concept_code"])
    dates = coded.groupby(["person_id", "phecode"])["condition_start_date"].nunique().unstack(fill_value=0)
    people = omop_table(made, "person")["person_id"]
    dates = dates.reindex(people, fill_value=0)
    found = pd.DataFrame(np.where(dates >= 2, 1.0, np.where(dates == 0, 0.0, np.nan)), people, dates.columns)
    ranges = codes[["phecode", "exclude_range"]].dropna().drop_duplicates()
    for phecode, others in ranges.itertuples(index=False):
        excluded = (dates[others.split(",")] > 0).any(axis=1) & (found[phecode] == 0)
        found.loc[excluded, phecode] = np.nan
    return found
