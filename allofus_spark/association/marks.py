"""The stored rows of a scan that a Manhattan plot can show, thinned where they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import collect
from allofus_spark.genome import Build
from allofus_spark.tables import ASSOCIATIONS, META_ASSOCIATIONS, Table, Warehouse, quoted
from allofus_spark.tables.association_tables import META

# A plot has one mark in each cell of a grid at the most: a cell is about as large as a mark.
_COLUMNS, _ROWS = 160, 40

Pair = tuple[str, str]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """Contigs side by side in the order of the build, each from its first to its last stored position.

    ``names``; ``first`` int64[contigs]: its first position; ``starts`` int64[contigs + 1]: where it begins
    on the axis, in bases, and where the last one ends.
    """

    names: tuple[str, ...]
    first: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]

    def place(self, x: float) -> tuple[str, int]:
        """Contig and position of a point of the axis.

        >>> Axis(("1", "2"), np.array([100, 5]), np.array([0, 50, 80])).place(51)
        ('2', 6)
        """
        at = int(np.searchsorted(self.starts, x, "right")) - 1
        return self.names[at], int(x) - int(self.starts[at]) + int(self.first[at])


@dataclass(frozen=True)
class Points:
    """Variants of a plot in the order of the axis: place on it, and −log10 p, float64[n] both."""

    x: Floats
    neg_log10_p: Floats


Marks = Mapping[Pair, Points]


def read_axis(warehouse: Warehouse, scan: str, build: Build) -> Axis:
    """The axis that all stored rows of a scan lie on."""
    ends = _stored(warehouse, ASSOCIATIONS, scan).groupBy("contig").agg(
        F.min("position").alias("first"), F.max("position").alias("last")
    )  # fmt: skip
    held = {row.contig: (row.first, row.last) for row in ends.collect()}
    names = tuple(name for name in build.contig_lengths if name in held)
    first, last = (np.array([held[name][end] for name in names], np.int64) for end in (0, 1))
    return Axis(names, first, np.concatenate([[0], np.cumsum(last - first + 1)]))


def read_marks(warehouse: Warehouse, scan: str, most: Mapping[Pair, float | None], axis: Axis) -> Marks:
    """Of phenotypes and ancestries the smallest p of each cell; ``most``: their largest −log10 p."""
    if not axis.names:
        return {}
    shifts = dict(zip(axis.names, (axis.starts[:-1] - axis.first).tolist(), strict=True))
    shift = F.create_map(*(F.lit(part) for pair in shifts.items() for part in pair))[F.col("contig")]
    heights = warehouse.spark.createDataFrame(
        [(*pair, max(height or 0.0, 1.0)) for pair, height in most.items()],
        "phenotype_id string, ancestry string, height double",
    )
    columns = ("phenotype_id", "ancestry", "contig", "position", "neg_log10_p")
    of_ancestries = _stored(warehouse, ASSOCIATIONS, scan).select(*columns)
    together = _stored(warehouse, META_ASSOCIATIONS, scan).withColumn("ancestry", F.lit(META))
    stored = of_ancestries.unionAll(together.select(*columns)).where("neg_log10_p IS NOT NULL")
    width = max(1, int(axis.starts[-1]) // _COLUMNS)
    cells = (
        stored.join(F.broadcast(heights), ["phenotype_id", "ancestry"])
        .withColumn("x", F.col("position") + shift)
        .withColumn("column", F.floor(F.col("x") / width))
        .withColumn("row", F.floor(F.col("neg_log10_p") * _ROWS / F.col("height")))
    )
    best = cells.groupBy("phenotype_id", "ancestry", "column", "row").agg(
        F.max_by("x", "neg_log10_p").alias("x"), F.max("neg_log10_p").alias("neg_log10_p")
    )
    return _by_pair(collect(best.select("phenotype_id", "ancestry", "x", "neg_log10_p")))


def _stored(warehouse: Warehouse, table: Table, scan: str) -> DataFrame:
    return warehouse.live(table).where(f"scan = {quoted(scan)}")


def _by_pair(found: pa.Table) -> dict[Pair, Points]:
    marks = {}
    for pair in found.group_by(["phenotype_id", "ancestry"]).aggregate([]).to_pylist():
        is_own = pc.and_(*(pc.equal(found[name], value) for name, value in pair.items()))
        own = found.filter(is_own).sort_by("x")
        x, neg_log10_p = (np.asarray(own[name], np.float64) for name in ("x", "neg_log10_p"))
        marks[pair["phenotype_id"], pair["ancestry"]] = Points(x, neg_log10_p)
    return marks
