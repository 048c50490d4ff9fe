"""How the numbers of a column are read: as cases and controls, or as measures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from pyspark.sql import Column
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource, readable, shown
from allofus_spark.phenotypes.phenotype_file import (
    MISSING_CODE,
    Shape,
    is_missing,
    number_of,
)
from allofus_spark.tables import Run
from allofus_spark.tables.phenotype_tables import (
    BINARY_KIND,
    CASE,
    CONTROL,
    MEASURED,
    QUANTITATIVE_KIND,
)


class Coding(NamedTuple):
    """How a column's numbers are read; a binary one has a number for cases and one for controls."""

    kind: str
    case: float | None = None
    control: float | None = None


_ZERO_ONE, _ONE_TWO = Coding(BINARY_KIND, 1.0, 0.0), Coding(BINARY_KIND, 2.0, 1.0)


def refuse_texts(path: str, shapes: Mapping[str, Shape]) -> None:
    texts = [
        f"{column}: {shape.n_texts:,} cells, such as {', '.join(map(repr, shape.texts))}"
        for column, shape in shapes.items()
        if shape.n_texts
    ]
    if texts:
        raise BadSource(
            f"{path}: phenotypes are numbers (up to 1e150), and {len(texts)} columns have others: "
            f"{'; '.join(map(readable, texts))}"
            ". Write cases as 1 and controls as 0, or leave the columns out"
        )


def coding_of(column: str, shape: Shape, binary: Collection[str], quantitative: Collection[str]) -> Coding:
    """How a column is read; raises BadSource where it is to be binary and its values are not."""
    small = set(shape.small)
    if column in binary:
        if shape.n_others:
            raise BadSource(
                f"{column}: {shape.n_others:,} values are not 0, 1, 2 or missing: it is not binary"
            )
        return _ONE_TWO if 2.0 in small else _ZERO_ONE
    if column in quantitative or shape.n_others or len(small) == 3 or small == {0.0, 2.0}:
        return Coding(QUANTITATIVE_KIND)
    return _ONE_TWO if 2.0 in small else _ZERO_ONE


def say_codings(run: Run, shapes: Mapping[str, Shape], codings: Mapping[str, Coding]) -> None:
    """Tell how columns are read, and what was missing by a number."""
    recoded = [column for column, coding in codings.items() if coding == _ONE_TWO]
    if recoded:
        zeros = [column for column in recoded if 0.0 in shapes[column].small]
        run.progress(
            f"{len(recoded)} columns are 1 and 2, read as control and case: {shown(recoded)}"
            f"{f'; 0 is missing in {shown(zeros)}' if zeros else ''}"
        )
    same = [c for c, coding in codings.items() if coding.kind == BINARY_KIND and len(shapes[c].small) < 2]
    if same:
        run.progress(
            f"warning: {len(same)} binary columns have cases alone, controls alone or neither: {shown(same)}"
        )
    three = [c for c, coding in codings.items() if coding.kind != BINARY_KIND and not shapes[c].n_others]
    if three:
        run.progress(
            f"warning: {len(three)} columns hold 0, 1 and 2, read as quantitative: {shown(three)}; with "
            "--binary 0 is missing, 1 control and 2 case"
        )
    missing = [f"{column} ({shape.n_minus_9:,})" for column, shape in shapes.items() if shape.n_minus_9]
    if missing:
        run.progress(
            f"warning: -9 is missing, as in PLINK, also where a phenotype is a number: {shown(missing)}"
        )


def status_and_value(text: Column, coding: Coding) -> tuple[Column, Column]:
    value = F.when(~is_missing(text), number_of(text))
    value = F.when(value != MISSING_CODE, value)
    if coding.kind == BINARY_KIND:
        status = F.when(value == F.lit(coding.case), CASE).when(value == F.lit(coding.control), CONTROL)
        return status, F.lit(None).cast("double")
    return F.when(value.isNotNull(), MEASURED), value
