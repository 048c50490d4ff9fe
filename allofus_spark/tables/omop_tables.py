"""Tables of health records: those of the OMOP Common Data Model 5.4, and what of a source was refused.

Columns, types and what the CDM requires have their one home in data/omop_cdm54.tsv.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from types import MappingProxyType

from pyspark.sql.types import DataType

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import DATE, DOUBLE, INT, LONG, STRING, TIMESTAMP

_TYPES: Mapping[str, DataType] = {
    "long": LONG,
    "int": INT,
    "double": DOUBLE,
    "string": STRING,
    "date": DATE,
    "timestamp": TIMESTAMP,
}
# Grain, key, the day of a record, and what a row cannot do without (beside key and day).
_ABOUT: Mapping[str, tuple[str, tuple[str, ...], str | None]] = {
    "person": ("one person", ("person_id",), None),
    "observation_period": (
        "one period in which a person's care is recorded",
        ("observation_period_id",),
        "observation_period_start_date",
    ),
    "visit_occurrence": ("one visit of a person", ("visit_occurrence_id",), "visit_start_date"),
    "condition_occurrence": (
        "one record of a condition of a person",
        ("condition_occurrence_id",),
        "condition_start_date",
    ),
    "measurement": ("one measurement of a person", ("measurement_id",), "measurement_date"),
    "observation": ("one observation of a person", ("observation_id",), "observation_date"),
    "procedure_occurrence": (
        "one procedure on a person",
        ("procedure_occurrence_id",),
        "procedure_date",
    ),
    "drug_exposure": (
        "one use of a drug by a person",
        ("drug_exposure_id",),
        "drug_exposure_start_date",
    ),
    "death": ("one person who died", ("person_id",), "death_date"),
    "concept": ("one concept of a vocabulary", ("concept_id",), None),
    "concept_relationship": (
        "one relation of two concepts",
        ("concept_id_1", "concept_id_2", "relationship_id"),
        None,
    ),
}
# Internal, not about people.
_VOCABULARY = ("concept", "concept_relationship")


@dataclass(frozen=True)
class OmopTable:
    """A table of the CDM: its contract, and how a source may write it.

    ``needed`` columns must be in a source and in each of its rows; ``required`` ones, by the CDM, in each row
    of a source of people that has the column. ``record_id`` is an id that a source may lack, as nothing rests
    on it. ``older_names`` are those of 5.2 and 5.3, by the one of 5.4.
    """

    name: str
    contract: Table
    day: str | None
    needed: tuple[str, ...]
    required: tuple[str, ...]
    record_id: str | None
    older_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def of_people(self) -> bool:
        """Whether rows belong to persons of another table, omop_person."""
        return self.name not in ("person", *_VOCABULARY)


def _omop_tables() -> Mapping[str, OmopTable]:
    text = files(__package__).joinpath("data", "omop_cdm54.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")][1:]
    tables = {}
    for name in _ABOUT:
        ours = [row[1:] for row in rows if row[0] == name]
        tables[name] = _omop_table(name, ours)
    return MappingProxyType(tables)


def _omop_table(name: str, rows: list[list[str]]) -> OmopTable:
    grain, key, day = _ABOUT[name]
    columns = {row[0] for row in rows}
    held = {*key, *([day] if day else []), *({"person_id"} & columns)}
    contract = Table(
        name=f"omop_{name}",
        zone=Zone.REGISTERED if name in _VOCABULARY else Zone.CONTROLLED,
        grain=f"{grain}, as in the OMOP CDM 5.4",
        key=key,
        columns=tuple(
            Column(column, _TYPES[kind], comment, column not in held) for column, kind, _, _, comment in rows
        ),
        sort_by=("person_id", *([day] if day else [])) if "person_id" in columns else (),
    )
    needed = (*held, "vocabulary_id", "concept_code") if name == "concept" else held
    record_id = key[0] if "person_id" in columns and key != ("person_id",) else None
    return OmopTable(
        name,
        contract,
        day,
        tuple(column for column in contract.schema.names if column in needed and column != record_id),
        tuple(row[0] for row in rows if row[2] == "1"),
        record_id,
        {row[0]: row[3] for row in rows if row[3]},
    )


OMOP_TABLES = _omop_tables()

MALFORMED, MISSING, REPEATED, UNKNOWN_PERSON = "malformed", "missing", "repeated_id", "unknown_person"
NOT_A_NUMBER, NOT_A_DATE, IMPOSSIBLE_DATE = "not_a_number", "not_a_date", "impossible_date"
OMOP_REASONS = {
    MALFORMED: "the row has more or fewer cells than the header, or a quotation mark that is not closed",
    MISSING: "a value that the CDM requires is empty",
    NOT_A_NUMBER: "letters in a number, decimals in a whole one, or a number that does not fit",
    NOT_A_DATE: "no date as YYYY-MM-DD or YYYYMMDD, with or without a time of the day",
    IMPOSSIBLE_DATE: "before 1850, a record of the future, or an end after 2100",
    UNKNOWN_PERSON: "the person is not in omop_person",
    REPEATED: "another row has the same id; neither is kept",
}

REJECTED_OMOP_ROWS = Table(
    name="rejected_omop_rows",
    zone=Zone.CONTROLLED,
    grain="one refused value of a file of health records, with the rows that were refused for it",
    key=("omop_table", "source_file", "reason", "column", "value"),
    columns=(
        Column("omop_table", STRING, "Table of the CDM, such as condition_occurrence"),
        Column("source_file", STRING, "File, or part of a folder"),
        Column("reason", STRING, "; ".join(f"{name}: {meaning}" for name, meaning in OMOP_REASONS.items())),
        Column("column", STRING, "Column of the value; empty: the whole row"),
        Column("value", STRING, "The value, up to 100 characters; empty: none, or the whole row"),
        Column("n_rows", LONG, "Rows that were refused for it, each for its first problem alone"),
    ),
    partition_by=("omop_table",),
)
