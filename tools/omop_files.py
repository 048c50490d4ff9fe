"""Simulated truth written as OMOP tables, with what real records do to it; see `tools.health_records`."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tools.cohort_files import Person, whole_file

DATA = Path(__file__).with_name("data")
CODE_FILE, TRAIT_FILE = DATA / "demo_phecode_map.tsv", DATA / "demo_traits.tsv"
SHARE_OF_CASES_WITH_ONE_DATE = 0.05
SHARE_OF_OTHERS_WITH_ONE_DATE = 0.02
MEAN_NOISE_CODES = 4
LAST_DAY = dt.date(2025, 12, 31)
ICD10_SINCE = dt.date(2015, 10, 1)
NOISE_CODES = {"9": ("V70.0", "786.2", "780.79", "784.0"), "10": ("Z00.00", "R05.9", "R53.83", "R51.9")}
VOCABULARIES = {"9": "ICD9CM", "10": "ICD10CM"}
SHARE_MEASURED = 0.8
LDL_SD_WITHIN = 8.0  # mg/dL, of a person's values
MG_OF_MMOL = 38.67
LDL_CONCEPT, MG_PER_DL, MMOL_PER_L = 3028437, 8840, 8753
SHARE_IN_MMOL, SHARE_IMPOSSIBLE = 0.3, 0.01
# Concepts of one's own have ids from 2 billion.
_FIRST_CONCEPT = 2_000_000_001
_FIRST_PERSON = 10_001
_EHR = 32817  # the record comes from an electronic health record

Cells = Sequence[object]


class Code(NamedTuple):
    """A diagnosis code and the concept that stands for it."""

    vocabulary: str
    code: str
    concept_id: int


@dataclass(frozen=True)
class Truth:
    """Who has what, before records are made of it.

    ``is_case`` bool[people] by phecode; ``age`` in years when their records begin; ``ldl`` in mg/dL.
    """

    is_case: Mapping[str, npt.NDArray[np.bool_]]
    age: npt.NDArray[np.int64]
    is_male: npt.NDArray[np.bool_]
    ldl: npt.NDArray[np.float64]


class HealthRecords(NamedTuple):
    """Folder of OMOP tables, and the file that says whose genome is whose."""

    omop: Path
    links: Path


def write_records(
    folder: Path, people: Sequence[Person], truth: Truth, chance: np.random.Generator
) -> HealthRecords:
    """Person, observation_period, condition_occurrence, measurement and concept; and the links."""
    ids = np.arange(_FIRST_PERSON, _FIRST_PERSON + len(people))
    first_days = [
        LAST_DAY - dt.timedelta(days=int(days)) for days in chance.integers(3 * 365, 18 * 365, len(people))
    ]
    codes, noise = read_codes()
    conditions = list(_conditions(ids, truth, first_days, codes, noise, chance))
    measurements = list(_measurements(ids, truth, first_days, chance))
    omop = folder / "omop"
    _write(omop, "person", _PERSON, _persons(ids, truth, first_days))
    _write(omop, "observation_period", _PERIOD, _periods(ids, first_days))
    _write(omop, "condition_occurrence", _CONDITION, conditions)
    _write(omop, "measurement", _MEASUREMENT, measurements)
    _write(omop, "concept", _CONCEPT, _concepts([*codes.values(), noise]))
    links = folder / "person_samples.tsv"
    with whole_file(links) as partial, partial.open("w", encoding="utf-8") as out:
        out.write("person_id\tsample_id\n")
        out.writelines(f"{own}\t{person.sample_id}\n" for own, person in zip(ids, people, strict=True))
    return HealthRecords(omop, links)


_PERSON = (
    *("person_id", "gender_concept_id", "year_of_birth", "race_concept_id", "ethnicity_concept_id"),
    "gender_source_value",
)
_PERIOD = (
    *("observation_period_id", "person_id", "observation_period_start_date", "observation_period_end_date"),
    "period_type_concept_id",
)
_CONDITION = (
    *("condition_occurrence_id", "person_id", "condition_concept_id", "condition_start_date"),
    *("condition_type_concept_id", "condition_source_value", "condition_source_concept_id"),
)
_MEASUREMENT = (
    *("measurement_id", "person_id", "measurement_concept_id", "measurement_date"),
    *("measurement_type_concept_id", "value_as_number", "unit_concept_id"),
    *("measurement_source_value", "unit_source_value"),
)
_CONCEPT = (
    *("concept_id", "concept_name", "domain_id", "vocabulary_id", "concept_class_id", "standard_concept"),
    *("concept_code", "valid_start_date", "valid_end_date", "invalid_reason"),
)


def read_codes(path: Path = CODE_FILE) -> tuple[dict[str, list[Code]], list[Code]]:
    """Codes of each phecode, and those that have none; each has a concept of its own."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["phecode"], row["flag"], row["ICD"]) for row in csv.DictReader(file, delimiter="\t")]
    rows += [("", flag, code) for flag, codes in NOISE_CODES.items() for code in codes]
    codes = defaultdict(list)
    for number, (phecode, flag, code) in enumerate(rows):
        codes[phecode].append(Code(VOCABULARIES[flag], code, _FIRST_CONCEPT + number))
    noise = codes.pop("")
    return dict(codes), noise


def _persons(ids: npt.NDArray[np.int64], truth: Truth, first_days: Sequence[dt.date]) -> Iterator[Cells]:
    """The year of birth is all that is known of it: age is the difference of years."""
    for own, age, is_male, first in zip(ids, truth.age, truth.is_male, first_days, strict=True):
        yield own, 8507 if is_male else 8532, first.year - int(age), 0, 0, "M" if is_male else "F"


def _periods(ids: npt.NDArray[np.int64], first_days: Sequence[dt.date]) -> Iterator[Cells]:
    for number, (own, first) in enumerate(zip(ids, first_days, strict=True), 1):
        yield number, own, first, LAST_DAY, _EHR


def _conditions(
    ids: npt.NDArray[np.int64],
    truth: Truth,
    first_days: Sequence[dt.date],
    codes: Mapping[str, Sequence[Code]],
    noise: Sequence[Code],
    chance: np.random.Generator,
) -> Iterator[Cells]:
    """Cases have codes on two dates or more, few of them on one; few others on one; noise for everybody."""
    number = 0
    for person, own in enumerate(ids):
        wanted = [(noise, int(chance.poisson(MEAN_NOISE_CODES)))]
        for phecode, is_case in truth.is_case.items():
            wanted.append((codes[phecode], _n_dates(bool(is_case[person]), chance)))
        for group, n_dates in wanted:
            for day in _days(first_days[person], n_dates, chance):
                vocabulary = VOCABULARIES["10" if day >= ICD10_SINCE else "9"]
                usable = [code for code in group if code.vocabulary == vocabulary]
                # A visit may leave the same diagnosis twice, which is one date.
                for _ in range(1 + int(chance.random() < 0.1)):
                    code = usable[int(chance.integers(len(usable)))]
                    written = code.code if chance.random() < 0.5 else code.code.replace(".", "")
                    number += 1
                    yield number, own, 0, day, _EHR, written, code.concept_id


def _n_dates(is_case: bool, chance: np.random.Generator) -> int:
    if is_case:
        return 1 if chance.random() < SHARE_OF_CASES_WITH_ONE_DATE else 2 + int(chance.poisson(1))
    return int(chance.random() < SHARE_OF_OTHERS_WITH_ONE_DATE)


def _days(first: dt.date, n: int, chance: np.random.Generator) -> list[dt.date]:
    """Distinct days of a person's period."""
    days = chance.choice((LAST_DAY - first).days, n, replace=False)
    return [first + dt.timedelta(days=int(day)) for day in days]


def _measurements(
    ids: npt.NDArray[np.int64], truth: Truth, first_days: Sequence[dt.date], chance: np.random.Generator
) -> Iterator[Cells]:
    """LDL cholesterol on one to four days, in mg/dL or mmol/L; few values that nobody can have."""
    number = 0
    for person, own in enumerate(ids):
        if chance.random() >= SHARE_MEASURED:
            continue
        for day in _days(first_days[person], 1 + int(chance.integers(4)), chance):
            value = max(truth.ldl[person] + chance.normal(0, LDL_SD_WITHIN), 5.0)
            if chance.random() < SHARE_IMPOSSIBLE:
                value = 9_999.0
            number += 1
            head = (number, own, LDL_CONCEPT, day, _EHR)
            if chance.random() < SHARE_IN_MMOL:
                yield *head, round(value / MG_OF_MMOL, 3), MMOL_PER_L, "LDL", "mmol/L"
            else:
                yield *head, round(value, 1), MG_PER_DL, "LDL", "mg/dL"


def _concepts(groups: Iterable[Sequence[Code]]) -> Iterator[Cells]:
    since, until = dt.date(1970, 1, 1), dt.date(2099, 12, 31)
    for code in (code for group in groups for code in group):
        name, kind = f"{code.vocabulary} {code.code}", f"{code.vocabulary} code"
        yield code.concept_id, name, "Condition", code.vocabulary, kind, "", code.code, since, until, ""
    ldl = "Cholesterol in LDL [Mass/volume] in Serum or Plasma"
    yield LDL_CONCEPT, ldl, "Measurement", "LOINC", "Lab Test", "S", "2089-1", since, until, ""
    for concept_id, name, code_text in (
        (MG_PER_DL, "milligram per deciliter", "mg/dL"),
        (MMOL_PER_L, "millimole per liter", "mmol/L"),
    ):
        yield concept_id, name, "Unit", "UCUM", "Unit", "S", code_text, since, until, ""


def _write(folder: Path, table: str, columns: Sequence[str], rows: Iterable[Cells]) -> None:
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows), ""]
    with whole_file(folder / f"{table}.csv.gz") as partial:
        # Without a time in its head the file of a seed is the same each time.
        partial.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
