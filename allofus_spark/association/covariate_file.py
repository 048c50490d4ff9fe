"""Covariates that a user gives as a TSV or CSV."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allofus_spark.delimited import read_table, refuse_repeated
from allofus_spark.errors import BadSamples, BadSource, readable, shown

_IDS = ("sample_id", "person_id")
_MISSING = ("", "na", "nan")


@dataclass(frozen=True)
class CovariateFile:
    """Columns of a file as text: ``rows`` by id of sample or person, with the line that each stands in."""

    path: str
    id_column: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[int, Sequence[str]]]

    def values(self, column: str, ids: Sequence[str]) -> npt.NDArray[np.float64]:
        """float64[n] of a column; NaN where it is empty, NA or nan, or the id is not in the file.

        Raises BadSource where a cell is not a number.
        """
        place = self.columns.index(column)
        return np.array([self._number(column, place, *self.rows[name]) if name in self.rows else math.nan
                         for name in ids], np.float64)  # fmt: skip

    def _number(self, column: str, place: int, line: int, cells: Sequence[str]) -> float:
        text = cells[place].strip() if place < len(cells) else ""
        if text.lower() in _MISSING:
            return math.nan
        try:
            number = float(text)
        except ValueError:
            number = math.inf
        if math.isinf(number):
            raise BadSource(
                f"{self.path} line {line}: column {column} has {readable(text)!r}, which is not a number; "
                "write numbers, or NA where it is not known"
            )
        return number


def read_covariate_file(path: str) -> CovariateFile:
    """The file; it has a column sample_id or person_id.

    Raises BadSource where it has neither or both, or a column twice; BadSamples where an id stands twice.
    """
    header, lines = read_table(path, _IDS[0])
    held = [name for name in _IDS if name in header]
    if len(held) != 1:
        has = "both" if held else f"neither; it has: {', '.join(header)}"
        raise BadSource(f"{path}: covariates are by a column sample_id or person_id, and it has {has}")
    refuse_repeated(path, header)
    at = header.index(held[0])
    rows: dict[str, tuple[int, Sequence[str]]] = {}
    repeated = []
    for number, cells in lines:
        name = cells[at].strip() if at < len(cells) else ""
        if not name:
            raise BadSamples(f"{path} line {number}: no {held[0]}; complete it")
        if name in rows:
            repeated.append(name)
        rows[name] = (number, cells)
    if repeated:
        raise BadSamples(f"{path}: {len(repeated)} ids stand twice: {shown(repeated)}; keep one line of each")
    return CovariateFile(path, held[0], tuple(header), rows)


def check_ids(file: CovariateFile, ids: Collection[str]) -> int:
    """How many of the people the file has; raises BadSamples where it has none of them."""
    n_known = sum(name in file.rows for name in ids)
    if not n_known:
        raise BadSamples(
            f"{file.path}: none of its {len(file.rows):,} ids is the {file.id_column} of somebody to "
            f"analyse, such as {shown(sorted(ids)[:1])}"
        )
    return n_known
