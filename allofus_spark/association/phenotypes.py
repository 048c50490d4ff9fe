"""Phenotypes of the people: which are asked for, and each person's value, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from allofus_spark.association.people import People
from allofus_spark.errors import BadSource, NotFound, shown
from allofus_spark.tables import PHENOTYPE_DEFINITIONS, PHENOTYPE_PEOPLE, PHENOTYPES, Run
from allofus_spark.tables.phenotype_tables import (
    BINARY_KIND,
    BOTH_SEXES,
    CASE,
    CONTROL,
    FEMALE,
    MALE,
    MEASURED,
)

# Bytes that a model has of each person: residuals, weights and their likes, in double precision.
_BYTES_OF_PERSON = 64

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Definition:
    """One phenotype; ``others`` are those who were looked at and have no row: controls or not assessed."""

    phenotype_set: str
    phenotype_id: str
    is_binary: bool
    sex: str
    others_are_controls: bool


def choose_phenotypes(run: Run, ids: Sequence[str], phenotype_set: str | None) -> list[Definition]:
    """The phenotypes asked for by id: those ``ids``, of a set or of all; every one where no id is given.

    Raises BadSource where there are no phenotypes, NotFound naming ids or the set that are not there.
    """
    rows = run.rows(PHENOTYPE_DEFINITIONS)
    if not rows:
        raise BadSource(
            "the warehouse holds no phenotypes; run allofus build-phenotypes first, or bring them from a file"
        )
    if phenotype_set is not None:
        sets = sorted({row.phenotype_set for row in rows})
        rows = [row for row in rows if row.phenotype_set == phenotype_set]
        if not rows:
            raise NotFound(f"there is no phenotype set {phenotype_set}; there are: {shown(sets)}")
    held = {row.phenotype_id: row for row in rows}
    if unknown := sorted(set(ids) - set(held)):
        among = f" in set {phenotype_set}" if phenotype_set else ""
        raise NotFound(
            f"{len(unknown)} of {len(set(ids))} phenotypes are not there{among}: {shown(unknown)}; there are "
            f"{len(held):,}, such as {shown(sorted(held)[:3])}"
        )
    return [_definition(held[name]) for name in sorted(set(ids) or held)]


def _definition(row: Row) -> Definition:
    is_binary = row.kind == BINARY_KIND
    return Definition(row.phenotype_set, row.phenotype_id, is_binary, row.sex, row.others == CONTROL)


@dataclass(frozen=True)
class Block:
    """Some phenotypes of all people: ``values`` float64[people, phenotypes], NaN: not analysed."""

    definitions: Sequence[Definition]
    values: Values


def read_blocks(
    run: Run, people: People, definitions: Sequence[Definition], model_bytes: int
) -> Iterator[Block]:
    """The phenotypes in blocks whose models fit ``model_bytes``."""
    told = {name: _Told(run, people, name) for name in {item.phenotype_set for item in definitions}}
    at_once = max(1, model_bytes // (_BYTES_OF_PERSON * len(people)))
    for first in range(0, len(definitions), at_once):
        block = definitions[first : first + at_once]
        yield Block(block, _values(run, people, block, told))


class _Told:
    """Which of the people a set of phenotypes was told of, and the sex that it goes by."""

    def __init__(self, run: Run, people: People, phenotype_set: str) -> None:
        rows: Any = (
            run.read(PHENOTYPE_PEOPLE)
            .where(F.col("phenotype_set") == phenotype_set)
            .select("person_id", "sex")
            .toPandas()
        )
        held = dict(zip(rows["person_id"], rows["sex"], strict=True))
        self.is_told = np.array([name in held for name in people.person_ids], np.bool_)
        sexes = np.array([held.get(name) for name in people.person_ids], object)
        self._of_sex = {FEMALE: sexes == FEMALE, MALE: sexes == MALE, BOTH_SEXES: np.True_}

    def controls(self, definition: Definition) -> npt.NDArray[np.bool_]:
        """Who is a control without a row: those told of, of the sex that can have it."""
        if not definition.others_are_controls:
            return np.zeros_like(self.is_told)
        return np.asarray(self.is_told & self._of_sex[definition.sex])


def _values(run: Run, people: People, block: Sequence[Definition], told: dict[str, _Told]) -> Values:
    values = np.full((len(people), len(block)), np.nan)
    for number, item in enumerate(block):
        if item.is_binary:
            values[told[item.phenotype_set].controls(item), number] = 0
    rows: Any = _rows(run, block).toPandas()
    place_of = {name: place for place, name in enumerate(people.person_ids)}
    number_of = {item.phenotype_id: number for number, item in enumerate(block)}
    place = rows["person_id"].map(place_of)
    rows, place = rows[place.notna()], place[place.notna()].to_numpy(np.int64)
    number = rows["phenotype_id"].map(number_of).to_numpy(np.int64)
    status = rows["status"].to_numpy(object)
    coded = np.full(len(rows), np.nan)
    coded[status == CASE], coded[status == CONTROL] = 1, 0
    is_measured = status == MEASURED
    coded[is_measured] = rows["value"].to_numpy(np.float64)[is_measured]
    values[place, number] = coded
    return values


def _rows(run: Run, block: Sequence[Definition]) -> DataFrame:
    sets = sorted({item.phenotype_set for item in block})
    ids = [item.phenotype_id for item in block]
    chosen = F.col("phenotype_set").isin(sets) & F.col("phenotype_id").isin(ids)
    return run.read(PHENOTYPES).where(chosen).select("phenotype_id", "person_id", "status", "value")
