"""What a task adds to the summaries: histograms and counters of its tests, by phenotype and ancestry."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allofus_spark.arrow import lists_of_rows
from allofus_spark.association.cells import NOT_FITTED, OK, Cells, Fitted
from allofus_spark.regression.histogram import bin_of
from allofus_spark.regression.models import STATUS_NAMES, TEST_NAMES
from allofus_spark.tables import SideOutput
from allofus_spark.tables.association_tables import META, QQ_EDGES
from allofus_spark.tables.types import DOUBLE, LONG, LONGS, STRING, struct

COMMON_MAF = 0.05  # of lambda_gc_common
N_BINS = len(QQ_EDGES) + 1
# Lists of counts, and their lengths.
WIDTHS = {
    "counts": N_BINS,
    "common_counts": N_BINS,
    "by_status": len(STATUS_NAMES),
    "by_test": len(TEST_NAMES),
}
PARTS = SideOutput(
    "association_parts",
    struct(
        phenotype_id=STRING, ancestry=STRING, counts=LONGS, common_counts=LONGS, by_status=LONGS,
        by_test=LONGS, n_genome_wide=LONG, max_neg_log10_p=DOUBLE,
    ),
)  # fmt: skip
_EDGES = np.array(QQ_EDGES)

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class Parts:
    """Sums of a task. Rows of the sums are ancestries, and ``meta``, of each phenotype."""

    def __init__(self, fitted: Fitted, genome_wide_p: float) -> None:
        self._fitted = fitted
        self._names = (*fitted.ancestries, META)
        self._genome_wide = -np.log10(genome_wide_p)
        n = len(self._names) * len(fitted.phenotype_ids)
        self._counts, self._common = np.zeros((2, n, N_BINS), np.int64)
        self._by_status = np.zeros((n, len(STATUS_NAMES)), np.int64)
        self._by_test = np.zeros((n, len(TEST_NAMES)), np.int64)
        self._genome_wide_counts = np.zeros(n, np.int64)
        self._most = np.full(n, np.nan)

    def add(self, cells: Cells, is_counted: Bools) -> None:
        """Count the outcomes of cells, [ancestries, a, b]."""
        is_counted = is_counted & (cells["status"] != NOT_FITTED)
        ancestry = np.arange(cells.shape[0], dtype=np.int64)[:, None, None]
        row = np.broadcast_to(self._row(ancestry, cells.phenotype), cells.shape)[is_counted]
        status, test = cells["status"][is_counted], cells["test"][is_counted]
        _add(self._by_status, row, status)
        _add(self._by_test, row[test >= 0], test[test >= 0])
        ac, an = cells["ac"][is_counted], cells["an"][is_counted]
        self._add_tested(row, status == OK, cells["neg_log10_p"][is_counted], ac, an)

    def add_meta(
        self,
        phenotype: npt.NDArray[np.integer],
        neg_log10_p: Floats,
        ac: npt.NDArray[np.int64],
        an: npt.NDArray[np.int64],
    ) -> None:
        """Count meta-analyses, each [n]; ac and an over their ancestries."""
        row = self._row(np.int64(len(self._names) - 1), phenotype)
        _add(self._by_status, row, np.full(len(row), OK, np.int8))
        self._add_tested(row, np.ones(len(row), np.bool_), neg_log10_p, ac, an)

    def _row(
        self, ancestry: npt.NDArray[np.int64] | np.int64, phenotype: npt.NDArray[np.integer]
    ) -> npt.NDArray[np.int64]:
        return ancestry * len(self._fitted.phenotype_ids) + phenotype

    def _add_tested(
        self,
        row: npt.NDArray[np.int64],
        is_tested: Bools,
        neg_log10_p: Floats,
        ac: npt.NDArray[np.int64],
        an: npt.NDArray[np.int64],
    ) -> None:
        row, found = row[is_tested], neg_log10_p[is_tested]
        bins = bin_of(found, _EDGES)
        _add(self._counts, row, bins)
        ac, an = ac[is_tested], an[is_tested]
        common = np.minimum(ac, an - ac) >= COMMON_MAF * an
        _add(self._common, row[common], bins[common])
        self._genome_wide_counts += np.bincount(row[found > self._genome_wide], minlength=len(self._most))
        np.fmax.at(self._most, row, found)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The sums of phenotypes and ancestries that anything was counted of."""
        held = np.flatnonzero(self._by_status.any(axis=1))
        if not len(held):
            return
        ancestry, phenotype = np.divmod(held, len(self._fitted.phenotype_ids))
        columns = {
            "phenotype_id": pa.array(self._fitted.phenotype_ids).take(pa.array(phenotype)),
            "ancestry": pa.array(self._names).take(pa.array(ancestry)),
            "counts": lists_of_rows(self._counts[held]),
            "common_counts": lists_of_rows(self._common[held]),
            "by_status": lists_of_rows(self._by_status[held]),
            "by_test": lists_of_rows(self._by_test[held]),
            "n_genome_wide": pa.array(self._genome_wide_counts[held]),
            "max_neg_log10_p": pa.array(self._most[held], from_pandas=True),
        }
        yield pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _add(sums: npt.NDArray[np.int64], row: npt.NDArray[np.int64], column: npt.NDArray[np.integer]) -> None:
    """Add one to ``sums[row, column]`` for each pair."""
    width = sums.shape[1]
    sums += np.bincount(row * width + column, minlength=sums.size).reshape(sums.shape)
