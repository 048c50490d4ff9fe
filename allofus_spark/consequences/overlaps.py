"""Which transcripts an allele lies in, as bcftools csq sees it.

Of introns and of transcripts without a protein csq names a gene and a biotype, not the transcripts: those of
one biotype become one entry, with the first one's gene. Here they are found again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from allofus_spark.consequences.csq_calls import Allele, CsqTranscript

Integers = npt.NDArray[np.int64]


def changed_bases(position: int, ref: str, alt: str) -> tuple[int, int]:
    """0-based first and last base that an allele changes; of an insertion the two bases beside it, swapped.

    A transcript has the allele inside where ``last >= its first`` and ``first <= its last``.

    >>> changed_bases(11, "AT", "A"), changed_bases(11, "A", "AT"), changed_bases(11, "A", "C")
    ((11, 11), (11, 10), (10, 10))
    """
    start, n_ref, n_alt, right, left = position - 1, len(ref), len(alt), 0, 0
    while right < min(n_ref, n_alt) and ref[n_ref - 1 - right] == alt[n_alt - 1 - right]:
        right += 1
    while left < min(n_ref, n_alt) - right and ref[left] == alt[left]:
        left += 1
    is_complex = n_ref - left - right > 1 and n_alt - left - right > 1
    if n_ref >= n_alt or is_complex:
        return start + left, start + n_ref - right - 1
    if left or ref[0] != alt[0]:
        return start + left, start + n_ref - right - 1
    return start + 1, start + n_ref - max(right - 1, 0) - 1


class Overlaps:
    """Transcripts by place; each place has them in the order given."""

    def __init__(self, transcripts: Sequence[CsqTranscript]) -> None:
        edges = {edge for item in transcripts for edge in (item.first, item.last + 1)}
        self._edges = np.array(sorted(edges), np.int64)
        active: list[list[int]] = [[] for _ in range(len(edges) + 1)]
        for number, item in enumerate(transcripts):
            begin, end = np.searchsorted(self._edges, (item.first, item.last), side="right")
            for place in range(int(begin), int(end) + 1):
                active[place].append(number)
        self._active = [tuple(numbers) for numbers in active]

    def of(self, alleles: Sequence[Allele]) -> list[tuple[int, ...]]:
        """Numbers of the transcripts that each allele lies in."""
        bounds = np.array([_bounds(allele) for allele in alleles], np.int64).reshape(-1, 2)
        places = np.searchsorted(self._edges, bounds, side="right").tolist()
        return [self._between(first, last) for first, last in places]

    def _between(self, first: int, last: int) -> tuple[int, ...]:
        if first == last:
            return self._active[first]
        if last < first:  # an insertion at an edge: in what holds both neighbours
            after = set(self._active[first])
            return tuple(number for number in self._active[last] if number in after)
        return tuple(sorted({number for place in self._active[first : last + 1] for number in place}))


def _bounds(allele: Allele) -> tuple[int, int]:
    if len(allele.ref) == len(allele.alt) == 1:
        return allele.position - 1, allele.position - 1
    return changed_bases(*allele)
