"""Where the calls of records come from: the text of their lines, or rows that are packed already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genome import DIPLOID, X_NONPAR
from allofus_spark.genotypes import MISSING
from allofus_spark.ingest.vcf.calls import HAPLOID, SEX_XX, pack_records, words_of
from allofus_spark.ingest.vcf.records import ParseContext, Records
from allofus_spark.ingest.vcf.scan import Reason

Packed = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int32]


class PackedRows(NamedTuple):
    """What the calls of some records are packed into.

    ``rows`` int64[alternates] is the row of ``packed`` for each alternate of each record, -1 where it is
    dropped; ``first`` int64[records] where each record's alternates begin in it (a refused record has none).
    ``packed`` uint8[kept alternates, ceil(n_samples / 4)] and ``tallies`` int32[records, 7], calls set to
    missing by rule, come zeroed.
    """

    rows: Integers
    first: Integers
    packed: Packed
    tallies: Counts


class CallReader(Protocol):
    """Fills packed rows with the calls of records."""

    def fill(self, records: Records, context: ParseContext, target: PackedRows) -> Counts:
        """Fill the rows and tallies; int32[records] of high-quality calls, -1 where not told."""
        ...


class TextCalls:
    """Calls that stand in the lines; a record whose calls are not understood is refused."""

    def fill(self, records: Records, context: ParseContext, target: PackedRows) -> Counts:
        """Parse the calls of the records that are not refused."""
        high_quality = np.full(len(target.first), -1, np.int32)
        pack_records(
            records.data,
            words_of(records.data),
            records.calls,
            records.numbers,
            records.regions,
            context.sex,
            context.rules,
            target.rows,
            target.first,
            target.packed,
            records.reason,
            target.tallies,
            high_quality,
        )
        return high_quality


@dataclass(frozen=True)
class PackedCalls:
    """Calls that a source gives as packed rows, one an alternate, in the order of its lines.

    ``n_rows`` int64[lines] are the rows of each line, ``reason`` int8[lines] why the source refuses it (0: it
    does not). ``haploid`` uint8[h, ceil(n / 4)] has,
    in two bits a sample, 1 where a call has one copy; ``haploid_row`` int64[lines] is the line's row of it,
    or -1 where all calls have two. ``tallies`` int32[lines, 7] and ``high_quality`` int32[lines] are what the
    source counted; None: nothing.
    """

    packed: Packed
    n_rows: Integers
    reason: npt.NDArray[np.int8]
    haploid: Packed | None = None
    haploid_row: Integers | None = None
    tallies: Counts | None = None
    high_quality: Counts | None = None

    def fill(self, records: Records, context: ParseContext, target: PackedRows) -> Counts:
        """Copy the rows that are kept, and apply the policy on haploid calls."""
        rows, first, packed, tallies = target
        lines = records.line
        n_alternates = np.diff(np.append(first, len(rows)))
        reason = self.reason[lines].copy()
        # An allele with a comma in it is one to the source and two to the scanner.
        reason[(n_alternates > 0) & (n_alternates != self.n_rows[lines])] = Reason.BAD_ALT
        records.reason[:] = np.where(records.reason == 0, reason, records.reason)
        if not context.n_samples:
            return np.full(len(first), -1, np.int32)
        record = np.repeat(np.arange(len(first)), n_alternates)
        starts = np.cumsum(self.n_rows) - self.n_rows
        source = starts[lines][record] + np.arange(len(rows)) - first[record]
        kept = (rows >= 0) & (records.reason[record] == 0)
        packed[rows[kept]] = self.packed[source[kept]]
        if self.tallies is not None:
            tallies += self.tallies[lines]
        if self.haploid is not None and self.haploid_row is not None:
            haploid_row = self.haploid_row[lines]
            for at in np.flatnonzero((haploid_row >= 0) & (n_alternates > 0) & (records.reason == 0)):
                own = rows[first[at] : first[at] + n_alternates[at]]
                copies = self.haploid[haploid_row[at]]
                tallies[at, HAPLOID] += _settle_haploid(
                    packed, own[own >= 0], copies, records.regions[at], context.sex
                )
        if self.high_quality is None:
            return np.full(len(first), -1, np.int32)
        return self.high_quality[lines]


@numba.njit(cache=True, nogil=True)
def _settle_haploid(packed, rows, haploid, region, sex):  # type: ignore[no-untyped-def]
    """Set haploid calls to missing where two copies are meant; how many were called."""
    count = 0
    for sample in range(len(sex)):
        byte, shift = sample >> 2, (sample & 3) * 2
        if (haploid[byte] >> shift) & 1 == 0:
            continue
        if region != DIPLOID and not (region == X_NONPAR and sex[sample] == SEX_XX):
            continue
        was_called = False
        for row in rows:
            was_called |= (packed[row, byte] >> shift) & 3 != MISSING
            packed[row, byte] |= np.uint8(MISSING << shift)
        count += was_called
    return count
