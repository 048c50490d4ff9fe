"""Regions of the genome that people name, and which alleles lie in them.

An allele lies in a region where its normalised reference span, ``position`` to ``position + len(ref) - 1``,
shares a base with it: a deletion that reaches into a region lies in it, an insertion belongs to the base
before it. The span of a symbolic allele or a breakend is its REF, as INFO/END is not kept.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from allofus_spark.delimited import read_text
from allofus_spark.errors import BadSource, BuildMismatch
from allofus_spark.genome.builds import Build

_REGION = re.compile(r"(?P<contig>[^:]+)(?::(?P<first>[\d,]+)(?:-(?P<last>[\d,]+))?)?")
_NOT_A_REGION = ("#", "track", "browser")

Interval = tuple[str, int, int]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Regions:
    """Merged intervals by contig: (first, last), each int64[n], 1-based, both ends inclusive, rising."""

    of_contig: Mapping[str, tuple[Positions, Positions]]

    def intervals(self, contig: str | None = None) -> Iterator[Interval]:
        """Every interval, or those of one contig, as plain numbers."""
        for name in self.of_contig if contig is None else self.of_contig.keys() & {contig}:
            first, last = self.of_contig[name]
            yield from ((name, int(start), int(end)) for start, end in zip(first, last, strict=True))

    def overlap(
        self, contig: str, position: npt.NDArray[np.integer[Any]], span: Positions | int
    ) -> npt.NDArray[np.bool_]:
        """Which alleles share a base with a region, bool[n].

        ``position`` is 1-based, ``span`` the bases of ref.
        """
        if contig not in self.of_contig:
            return np.zeros(len(position), np.bool_)
        first, last = self.of_contig[contig]
        # The first interval that does not end before the allele; past the last one nothing starts.
        starts = np.append(first, np.iinfo(np.int64).max)
        return np.asarray(starts[np.searchsorted(last, position)] <= position + span - 1)


def read_regions(build: Build, given: Sequence[str], bed: str | None) -> Regions | None:
    """The union of ``CONTIG:START-END`` texts and a BED file; None where neither is given.

    Raises BadSource for what is not a region, BuildMismatch for a contig or a place that the build lacks.
    """
    if not given and bed is None:
        return None
    intervals = [_parse_region(build, text) for text in given]
    if bed is not None:
        intervals += _read_bed(build, bed)
    return merged(intervals)


def merged(intervals: Iterable[Interval]) -> Regions:
    """Intervals (contig, first, last) as regions; those that overlap or touch become one."""
    by_contig: defaultdict[str, list[list[int]]] = defaultdict(list)
    for contig, first, last in sorted(intervals):
        own = by_contig[contig]
        if own and first <= own[-1][1] + 1:
            own[-1][1] = max(own[-1][1], last)
        else:
            own.append([first, last])
    arrays = {contig: np.array(own, np.int64) for contig, own in by_contig.items()}
    return Regions(
        {contig: (np.ascontiguousarray(own[:, 0]), own[:, 1].copy()) for contig, own in arrays.items()}
    )


def _parse_region(build: Build, text: str) -> Interval:
    parts = _REGION.fullmatch(text.strip())
    if parts is None:
        raise BadSource(f"region {text!r}: write CONTIG:START-END, 1-based and inclusive, or CONTIG alone")
    contig = _known_contig(build, parts["contig"], f"region {text!r}")
    length = build.contig_lengths[contig]
    if parts["first"] is None:
        return contig, 1, length
    first = int(parts["first"].replace(",", ""))
    last = int((parts["last"] or parts["first"]).replace(",", ""))
    if not 1 <= first <= last:
        raise BadSource(f"region {text!r}: START must be 1 or more, and END not before it")
    return _within(contig, first, last, length, f"region {text!r}")


def _read_bed(build: Build, path: str) -> list[Interval]:
    """Intervals of a BED file: 0-based and half-open there."""
    intervals = []
    contigs: dict[str, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        fields = line.split()
        if not fields or fields[0].startswith(_NOT_A_REGION):
            continue
        where = f"{path} line {number}"
        try:
            start, end = int(fields[1]), int(fields[2])
        except (IndexError, ValueError):
            raise BadSource(f"{where}: not a BED line of contig, start and end: {line[:80]!r}") from None
        if not 0 <= start < end:
            raise BadSource(f"{where}: start {start} must be 0 or more and before end {end}")
        contig = contigs.get(fields[0]) or _known_contig(build, fields[0], where)
        contigs[fields[0]] = contig
        intervals.append(_within(contig, start + 1, end, build.contig_lengths[contig], where))
    if not intervals:
        raise BadSource(f"{path}: no regions in it")
    return intervals


def _known_contig(build: Build, spelling: str, where: str) -> str:
    try:
        contig = build.canonical_contig(spelling)
    except BuildMismatch as error:
        raise BuildMismatch(f"{where}: {error}") from None
    if contig not in build.contig_lengths:
        raise BuildMismatch(f"{where}: contig {spelling} is not one of build {build.name}")
    return contig


def _within(contig: str, first: int, last: int, length: int, where: str) -> Interval:
    if first > length:
        raise BuildMismatch(f"{where}: starts past the {length} bases of contig {contig}")
    return contig, first, min(last, length)
