"""Phecodes of whole cohorts, held against the rules said again in plain pandas.

The statement below reads the published files itself and shares no code with the package: it loops over people
and phecodes, and compares ranges as decimals.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from allofus_spark.phenotypes import build_phecodes, ingest_omop
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse
from tests.phenotypes.files import Told, people, told, told_of, write_csv

pytestmark = pytest.mark.long


TEXT = {"dtype": str, "keep_default_na": False}


def plain_code(code: str) -> str:
    return "".join(letter for letter in code if letter not in ". ").upper()


class PlainMap:
    """Phecodes by (flag, code), and who is excluded, of the files as they are."""

    def __init__(self, codes: pd.DataFrame, phecode: str, icd: str) -> None:
        self.of: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for flag, code, name in codes[["flag", icd, phecode]].itertuples(index=False):
            self.of[flag, plain_code(code)].add(name)
        self.names = {name for names in self.of.values() for name in names}
        self.sex: dict[str, str] = {}
        self.excluded: dict[str, set[str]] = {}
        if "sex" in codes:
            self.sex = dict(codes[["phecode", "sex"]].drop_duplicates().itertuples(index=False))
        if "exclude_range" in codes:
            lists = codes[["phecode", "exclude_range"]].drop_duplicates().itertuples(index=False)
            self.excluded = {name: set(filter(None, text.split(","))) for name, text in lists}

    def take_ranges(self, ranges: pd.DataFrame) -> None:
        for name, start, end in ranges[["phecode", "range_start", "range_end"]].itertuples(index=False):
            least, below = Decimal(start), Decimal(end)
            inside = {other for other in self.names if least <= Decimal(other) < below}
            self.excluded.setdefault(name, set()).update(inside)


def plain_statuses(records: pd.DataFrame, sexes: dict[str, str | None], codes: PlainMap) -> Told:
    """``records`` have person, flag, code and date."""
    dates: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for person, flag, code, date in records.itertuples(index=False):
        for name in codes.of.get((flag, plain_code(code)), ()):
            dates[person][name].add(date[:10])
    found: Told = {}
    for name in codes.names:
        of_sex = codes.sex.get(name, "Both")
        for person, sex in sexes.items():
            n_dates = len(dates[person][name]) if name in dates[person] else 0
            if of_sex != "Both" and sex != of_sex:
                found[name, person] = ("excluded", "other_sex" if sex else "sex_not_known")
            elif n_dates >= 2:
                found[name, person] = ("case", None)
            elif n_dates == 1:
                found[name, person] = ("excluded", "too_few_dates")
            elif codes.excluded.get(name, set()) & dates[person].keys():
                found[name, person] = ("excluded", "exclusion_range")
    with_cases = {name for (name, _), (status, _) in found.items() if status == "case"}
    return {place: status for place, status in found.items() if place[0] in with_cases}


@pytest.fixture(scope="module")
def synpuf(spark: SparkSession, realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path_factory.mktemp("synpuf"))))
    folder = realdata / "pheno_omop" / "synpuf50"
    names = ("person", "condition_occurrence", "concept")
    ingest_omop(warehouse, [str(folder / f"{name}.csv.gz") for name in names])
    return warehouse


@pytest.mark.parametrize(
    ("name", "phecode"), [("phetk_phecode12_icd9_icd10", "phecode_unrolled"), ("phetk_phecodeX", "phecode")]
)
def test_synpuf(name: str, phecode: str, synpuf: Warehouse, realdata: Path) -> None:
    folder = realdata / "pheno_omop" / "synpuf50"
    persons = pd.read_csv(folder / "person.csv.gz", **TEXT)
    sexes = {
        row.person_id: {"8532": "Female", "8507": "Male"}.get(row.gender_concept_id)
        for row in persons.itertuples()
    }
    records = pd.read_csv(folder / "condition_occurrence.csv.gz", **TEXT)
    concepts = pd.read_csv(folder / "concept.csv.gz", **TEXT)
    flags = {row.concept_id: "9" for row in concepts.itertuples() if row.vocabulary_id == "ICD9CM"}
    records["flag"] = records.condition_source_concept_id.map(flags)
    records = records[["person_id", "flag", "condition_source_value", "condition_start_date"]]
    path = realdata / "pheno_phecode" / f"{name}.csv.gz"
    expected = plain_statuses(records, sexes, PlainMap(pd.read_csv(path, **TEXT), phecode, "ICD"))
    counters = build_phecodes(synpuf, [str(path)], name=name)
    found = told(synpuf, name)
    assert found == expected
    assert len(found) > 2000
    phenotypes, persons_told = told_of(synpuf, name)
    assert persons_told == set(sexes)
    assert phenotypes == {phecode for phecode, _ in expected}
    assert counters["records"] == len(records)
    assert counters["records_with_phecode"] > 0.97 * len(records)


def test_the_example_of_the_phenotype_genotype_reference_map(
    warehouse: Warehouse, realdata: Path, tmp_path: Path
) -> None:
    folder = realdata / "pheno_pgrm"
    records = pd.read_csv(folder / "icds_example.csv", **TEXT)[["person_id", "flag", "icd", "entry_date"]]
    codes = PlainMap(pd.read_csv(folder / "icd_to_phecode_V1_2.csv.gz", **TEXT), "phecode", "icd")
    codes.take_ranges(pd.read_csv(folder / "phecode_ranges.csv", **TEXT))
    ids = sorted(set(records.person_id))
    expected = plain_statuses(records, dict.fromkeys([*ids, "77"]), codes)
    as_omop = [
        {
            "person_id": row.person_id,
            "condition_start_date": row.entry_date,
            "vocabulary_id": {"9": "ICD9CM", "10": "ICD10CM"}[row.flag],
            "condition_source_value": row.icd,
        }
        for row in records.itertuples()
    ]
    files = [
        write_csv(tmp_path / "person.csv", people(*ids, 77, gender_concept_id=0)),
        write_csv(tmp_path / "condition_occurrence.csv", as_omop),
    ]
    ingest_omop(warehouse, [str(path) for path in files])
    build_phecodes(
        warehouse,
        [str(folder / "icd_to_phecode_V1_2.csv.gz")],
        name="pgrm",
        exclusions=str(folder / "phecode_ranges.csv"),
    )
    found = told(warehouse, "pgrm")
    assert found == expected
    assert {reason for _, reason in found.values()} == {None, "too_few_dates", "exclusion_range"}
    assert not [person for _, person in found if person == "77"]
