"""Ranges of the genome that a task can put together from staged rows without a shuffle.

Catalogues come sorted, apart from alleles that left-alignment moved: the rows of a range then lie in a few
neighbouring pieces of the staged files. Each range belongs to one task, so an allele that stands in two
pieces, or in two files, meets itself there.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from allofus_spark.ingest.source import Account

# Rows that a range is cut at, and the most that its pieces may hold: about 60 bytes of memory each.
_RANGE_ROWS = 1 << 18
_MOST_ROWS = 1 << 21
# Rows read for each row staged, over all ranges; beyond, sorting everything is cheaper.
_MOST_READING = 4


Part = tuple[str, int]
"""A staged file and the number of a row group."""


class Piece(NamedTuple):
    """The rows of one contig in one row group of a staged file; positions are 1-based."""

    path: str
    row_group: int
    contig: str
    first: int
    last: int
    rows: int


class Range(NamedTuple):
    """The positions from ``first`` up to, not including, ``stop`` of a contig, and where its rows lie."""

    contig: str
    first: int
    stop: int
    parts: tuple[Part, ...]


def pieces_of(accounts: Iterable[Account], paths: Sequence[str]) -> list[Piece]:
    """The pieces that tasks have staged, in their files ``paths``."""
    return [
        Piece(path, *piece)
        for account, path in zip(accounts, paths, strict=True)
        for piece in account["pieces"]
    ]


def cut_ranges(pieces: Sequence[Piece]) -> list[Range] | None:
    """Ranges in genome order within each contig; None where too many pieces lie over each other."""
    by_contig: dict[str, list[Piece]] = defaultdict(list)
    for piece in pieces:
        by_contig[piece.contig].append(piece)
    ranges = []
    read = 0
    for contig, unsorted in by_contig.items():
        own = sorted(unsorted, key=lambda piece: (piece.first, piece.last))
        cuts = [*_cuts(own), max(piece.last for piece in own) + 1]
        for first, stop in itertools.pairwise(cuts):
            inside = [piece for piece in own if piece.first < stop and piece.last >= first]
            held = sum(piece.rows for piece in inside)
            read += held
            if held > _MOST_ROWS:
                return None
            parts = dict.fromkeys((piece.path, piece.row_group) for piece in inside)
            ranges.append(Range(contig, first, stop, tuple(parts)))
    return ranges if read <= _MOST_READING * sum(piece.rows for piece in pieces) else None


def in_groups(ranges: Sequence[Range], n_groups: int) -> tuple[tuple[Range, ...], ...]:
    """The ranges in at most ``n_groups`` runs of nearly equal number: what each task takes."""
    numbers = np.array_split(np.arange(len(ranges)), n_groups)
    return tuple(tuple(ranges[number] for number in own) for own in numbers if len(own))


def _cuts(pieces: Sequence[Piece]) -> Iterator[int]:
    """Where ranges begin: at a piece's first position, once enough rows lie before it."""
    begun, rows = pieces[0].first, 0
    yield begun
    for piece in pieces:
        if rows >= _RANGE_ROWS and piece.first > begun:
            begun, rows = piece.first, 0
            yield begun
        rows += piece.rows
