"""Outcomes to rows of the tables, and to the sums of a task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from allofus_spark.association.cells import (
    NOT_FITTED,
    Bools,
    Cells,
    Fitted,
    Place,
    association_rows,
)
from allofus_spark.association.keeping import Keeping
from allofus_spark.association.meta_rows import meta_rows
from allofus_spark.association.parts import Parts
from allofus_spark.tables import ASSOCIATIONS, META_ASSOCIATIONS

Named = tuple[str, pa.RecordBatch]
"""A batch, and the table or side output that it is of."""


@dataclass(frozen=True)
class Output:
    """Cells to rows and sums, by either pass; goes to the workers by pickle."""

    fitted: Fitted
    keeping: Keeping

    def parts(self) -> Parts:
        """The sums of a task, empty."""
        return Parts(self.fitted, self.keeping.genome_wide_p)

    def rows(self, place: Place, cells: Cells, is_final: Bools, parts: Parts) -> Iterator[Named]:
        """Rows of the cells that are final, [a, b] as theirs; they are counted in ``parts``."""
        is_counted = is_final & (cells["status"] != NOT_FITTED)
        parts.add(cells, is_counted)
        kept = is_counted & self.keeping.is_kept(cells["neg_log10_p"], place, cells.variant)
        if kept.any():
            yield ASSOCIATIONS.name, association_rows(self.fitted, place, cells, kept)
        found = meta_rows(self.fitted, place, cells, is_final, self.keeping, parts)
        if found is not None:
            yield META_ASSOCIATIONS.name, found
