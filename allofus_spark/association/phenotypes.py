"""Phenotypes of the people: which are asked for, and each person's value, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Row

from allofus_spark.arrow import collect, gathered
from allofus_spark.association.people import People
from allofus_spark.errors import BadSource, NotFound, shown
from allofus_spark.tables import (
    PHENOTYPE_DEFINITIONS,
    PHENOTYPE_PEOPLE,
    PHENOTYPES,
    Among,
    Run,
    column_batches,
    read_columns,
    rows_among,
)
from allofus_spark.tables.phenotype_tables import (
    BINARY_KIND,
    BOTH_SEXES,
    CASE,
    CONTROL,
    EXCLUDED,
    FEMALE,
    MALE,
)

Values = npt.NDArray[np.float64]
_CODED = pa.schema([("place", pa.int32()), ("number", pa.int32()), ("value", pa.float64())])
_CODED_TYPE = "place int, number int, value double"
_COLUMNS = ("phenotype_id", "person_id", "status", "value")
_ROWS_AT_ONCE = 1_000_000  # a look-up of people costs as much as the people, whatever the rows


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
    """Some phenotypes of all people: ``values`` float64[phenotypes, people], NaN: not analysed."""

    definitions: Sequence[Definition]
    values: Values


def read_blocks(run: Run, people: People, definitions: Sequence[Definition], at_once: int) -> Iterator[Block]:
    """The phenotypes in blocks of ``at_once``."""
    told = {name: _Told(run, people, name) for name in {item.phenotype_set for item in definitions}}
    for first in range(0, len(definitions), at_once):
        block = definitions[first : first + at_once]
        yield Block(block, _values(run, people, block, told))


class _Told:
    """Which of the people a set of phenotypes was told of, and the sex that it goes by."""

    def __init__(self, run: Run, people: People, phenotype_set: str) -> None:
        among = {"phenotype_set": [phenotype_set]}
        rows = read_columns(run, PHENOTYPE_PEOPLE, ["person_id", "sex"], among)
        held = dict(zip(*(column.to_pylist() for column in rows.columns), strict=True))
        self.is_told = np.array([name in held for name in people.person_ids], np.bool_)
        sexes = np.array([held.get(name) for name in people.person_ids], object)
        self._of_sex = {FEMALE: sexes == FEMALE, MALE: sexes == MALE, BOTH_SEXES: np.True_}

    def controls(self, definition: Definition) -> npt.NDArray[np.bool_]:
        """Who is a control without a row: those told of, of the sex that can have it."""
        if not definition.others_are_controls:
            return np.zeros_like(self.is_told)
        return np.asarray(self.is_told & self._of_sex[definition.sex])


def _values(run: Run, people: People, block: Sequence[Definition], told: Mapping[str, _Told]) -> Values:
    values = np.full((len(block), len(people)), np.nan)
    for number, item in enumerate(block):
        if item.is_binary:
            values[number, told[item.phenotype_set].controls(item)] = 0
    ids = [item.phenotype_id for item in block]
    among = {"phenotype_set": {item.phenotype_set for item in block}, "phenotype_id": ids}
    for rows in _coded(run, among, _Coding(tuple(people.person_ids), tuple(ids))):
        values[np.asarray(rows.column("number")), np.asarray(rows.column("place"))] = rows.column("value")
    return values


def _coded(run: Run, among: Among, coding: _Coding) -> Iterator[pa.RecordBatch]:
    """The rows of a block as numbers: by the driver, or by tasks where only Spark can read them."""
    if run.warehouse.local_root is not None:
        return coding(column_batches(run, PHENOTYPES, _COLUMNS, among))
    rows = rows_among(run.read(PHENOTYPES), among).select(*_COLUMNS)
    return iter(collect(rows.mapInArrow(coding, _CODED_TYPE)).to_batches())


@dataclass(frozen=True)
class _Coding:
    """Rows of ``phenotypes`` to places of people, numbers of phenotypes and values; NaN: excluded.

    Rows of others are left out. Goes to the workers by pickle.
    """

    people: tuple[str, ...]
    phenotypes: tuple[str, ...]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        people, phenotypes = (pa.array(names, pa.string()) for names in (self.people, self.phenotypes))
        for rows in gathered(batches, _ROWS_AT_ONCE):
            place = pc.index_in(rows.column("person_id"), people)
            number = pc.index_in(rows.column("phenotype_id"), phenotypes)
            value = np.array(rows.column("value").to_numpy(zero_copy_only=False))
            status = rows.column("status")
            for name, code in ((CASE, 1), (CONTROL, 0), (EXCLUDED, np.nan)):
                value[np.asarray(pc.equal(status, name))] = code
            coded = pa.RecordBatch.from_arrays([place, number, pa.array(value)], schema=_CODED)
            yield coded.filter(pc.and_(place.is_valid(), number.is_valid()))
