"""Files of health records, and what the tables say of them as plain Python."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from allofus_spark.tables import PHENOTYPE_DEFINITIONS, PHENOTYPE_PEOPLE, PHENOTYPES, Warehouse

Told = dict[tuple[str, str], tuple[str, str | None]]
"""(Status, reason) by phenotype and person; whoever is a control for want of a row is not in it."""


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], delimiter: str = ",") -> Path:
    """A file with the columns of the rows; a value that a row lacks, or that is None, is empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [columns]
    lines += [["" if row.get(name) is None else str(row[name]) for name in columns] for row in rows]
    text = "".join(delimiter.join(line) + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def people(*ids: object, **values: object) -> list[dict[str, Any]]:
    """Persons who are women born in 1950, unless said otherwise."""
    plain = {
        "gender_concept_id": 8532,
        "year_of_birth": 1950,
        "race_concept_id": 0,
        "ethnicity_concept_id": 0,
    }
    return [{"person_id": number, **plain, **values} for number in ids]


def conditions(*rows: Sequence[object]) -> list[dict[str, Any]]:
    """(person, day, vocabulary, code) as rows of condition_occurrence without concepts."""
    names = ("person_id", "condition_start_date", "vocabulary_id", "condition_source_value")
    return [dict(zip(names, row, strict=True)) for row in rows]


def told(warehouse: Warehouse, name: str) -> Told:
    rows = warehouse.read(PHENOTYPES).where(f"phenotype_set = '{name}'").collect()
    found = {(row.phenotype_id, row.person_id): (row.status, row.reason) for row in rows}
    assert len(found) == len(rows)
    return found


def told_of(warehouse: Warehouse, name: str) -> tuple[set[str], set[str]]:
    """Phenotypes and people of a set."""
    ours = f"phenotype_set = '{name}'"
    phenotypes = warehouse.read(PHENOTYPE_DEFINITIONS).where(ours).collect()
    persons = warehouse.read(PHENOTYPE_PEOPLE).where(ours).collect()
    return {row.phenotype_id for row in phenotypes}, {row.person_id for row in persons}
