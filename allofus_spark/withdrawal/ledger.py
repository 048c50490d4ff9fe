"""The ledger of counts without who withdrew: their share is taken off, nobody is counted again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import batch_of, lists_of_rows, matrix_of
from allofus_spark.cohort import COUNTS, Strata, last_changes, ploidy_aware
from allofus_spark.errors import ContractViolation
from allofus_spark.genome import Build, ploidy_regions
from allofus_spark.genotypes import count_by_stratum, decode
from allofus_spark.tables import (
    ALLELE_COUNTS,
    ALLELE_KEY,
    GENOTYPES,
    ArrowWrite,
    Inputs,
    Partition,
    Run,
    inputs_by_scope,
    rows_of_callset,
)

_TAKEN_OFF = "_of_withdrawn"


@dataclass(frozen=True)
class LedgerShare:
    """What some slots of a callset count for in ``allele_counts``; goes to the workers by pickle.

    ``strata`` are those that the ledger follows, with the slots' people still in them.
    """

    strata: Strata
    slots: tuple[int, ...]
    build: Build

    def of(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """The allele key and the arrays of ``allele_counts``, of the slots alone, one row an allele."""
        n = len(self.strata.names)
        own = np.full_like(self.strata.of_sample, n)
        own[list(self.slots)] = self.strata.of_sample[list(self.slots)]
        counts = count_by_stratum(decode(rows, len(own)), own, n + 1)[:, :-1]
        sizes = np.bincount(own, minlength=n + 1)[:n].astype(np.int64)
        regions = ploidy_regions(rows.column("contig"), rows.column("position"), self.build)
        by_name = ploidy_aware(counts, regions, sizes, self.strata.sex_classes)
        arrays = [rows.column(name) for name in ALLELE_KEY] + [
            lists_of_rows(by_name[name]) for name in COUNTS
        ]
        return pa.RecordBatch.from_arrays(arrays, names=[*ALLELE_KEY, *COUNTS])


def current_inputs(run: Run, strata: Strata) -> dict[Partition, Inputs]:
    """What the callset's counts were made from, where that is today's genotypes and strata; else nothing.

    Of counts that are stale the share is not known: they are made anew by the next frequencies.
    """
    if not run.holds(ALLELE_COUNTS):
        return {}
    made = inputs_by_scope(run, ALLELE_COUNTS.name).get(strata.callset_id, {})
    genotypes = last_changes(run, GENOTYPES).get(strata.callset_id, {})
    is_current = made.keys() == genotypes.keys() and all(
        inputs.get("genotypes") == genotypes[place] and inputs.get("strata") == strata.strata_id
        for place, inputs in made.items()
    )
    return dict(made) if is_current else {}


def subtraction(run: Run, share: DataFrame, before: Strata, after: Strata) -> ArrowWrite:
    """``allele_counts`` of a callset less the share. Alleles without a share are gone, and leave it."""
    own = rows_of_callset(before.callset_id)
    taken = share.select(*ALLELE_KEY, *(F.col(name).alias(name + _TAKEN_OFF) for name in COUNTS))
    rows = run.read(ALLELE_COUNTS).where(own).join(taken, list(ALLELE_KEY))
    kept = [before.names.index(name) for name in after.names]
    return ArrowWrite(rows, TakeOff(before.callset_id, after.strata_id, kept), [(ALLELE_COUNTS, own)])


@dataclass(frozen=True)
class TakeOff:
    """Counts beside a share of them to counts less it; ``kept`` are the strata that still have people."""

    callset_id: str
    strata_id: str
    kept: Sequence[int]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        for batch in batches:
            if batch.num_rows:
                yield ALLELE_COUNTS.name, self._less(batch)

    def _less(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = {name: batch.column(name) for name in ALLELE_KEY}
        columns["callset_id"] = pa.repeat(self.callset_id, batch.num_rows)
        columns["strata_id"] = pa.repeat(self.strata_id, batch.num_rows)
        for name in COUNTS:
            left = matrix_of(batch.column(name)) - matrix_of(batch.column(name + _TAKEN_OFF))
            emptied = np.delete(left, self.kept, axis=1)
            if (left < 0).any() or emptied.any():
                raise ContractViolation(
                    f"allele_counts of callset {self.callset_id} does not hold what its people carry; "
                    "nothing was changed. Run allofus frequencies --recompute, then withdraw again"
                )
            columns[name] = lists_of_rows(left[:, list(self.kept)])
        return batch_of(ALLELE_COUNTS.schema.names, columns)
