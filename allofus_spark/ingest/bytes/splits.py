"""Byte ranges for tasks, and the proof afterwards that together they read the whole file, once.

A task sees only its own range, so no task can notice that another one read too little. Each therefore reports
which blocks and how many bytes it read and gave out, and `check_reports` holds the reports of one file
against its size. Nothing read from a file counts before that check has passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from allofus_spark.bgzip import END_OF_FILE
from allofus_spark.errors import BadSource
from allofus_spark.ingest.bytes.kinds import Kind

_RECOPY = "Copy the file again from its source and run again."


@dataclass(frozen=True)
class Split:
    """The bytes [start, end) of a file of `size` bytes, as stored: compressed for bgzip and gzip."""

    path: str
    kind: Kind
    start: int
    end: int
    size: int


@dataclass(frozen=True)
class SplitReport:
    """What one split read and gave out, all in bytes.

    Attributes
    ----------
    first_block, next_block
        Address of the first block that starts in the split, and the address just after its last one. None
        where no block starts in it (a split smaller than a block). For text and gzip the split is one block.
    bytes_inflated_owned
        Text in the split's own blocks.
    line_bytes
        Lines given out, line ends included, an added one too.
    discarded_bytes
        Text of its own blocks that belongs to a line begun in an earlier split.
    read_past_bytes
        Text of later blocks that finishes its last line.
    added_newline
        The file ends without a line end and one was added to its last line.
    saw_eof_marker
        The last of its own blocks is the empty block that ends every whole bgzip file.
    """

    path: str
    start: int
    end: int
    first_block: int | None
    next_block: int | None
    bytes_inflated_owned: int
    line_bytes: int
    discarded_bytes: int
    read_past_bytes: int
    n_lines: int
    added_newline: bool
    saw_eof_marker: bool


def plan_splits(path: str, kind: Kind, size: int, split_bytes: int) -> list[Split]:
    """Cut a file of `size` bytes into ranges of `split_bytes`, in order; gzip cannot be cut."""
    if size < 1:
        raise BadSource(f"{path}: empty file ({size} bytes). Copy it again from its source, or leave it out.")
    if split_bytes < 1:
        raise ValueError(f"split_bytes must be at least 1, got {split_bytes}")
    step = size if kind is Kind.GZIP else split_bytes
    return [Split(path, kind, start, min(start + step, size), size) for start in range(0, size, step)]


def check_reports(reports: Sequence[SplitReport], kind: Kind, size: int) -> None:
    """Check that the reports of one file account for all of it: every block, and every byte of text, once.

    Files joined with `cat` are whole, but a joined file that was cut exactly behind an inner end-of-file
    marker cannot be told from a whole one by any reader.

    Raises
    ------
    BadSource
        Bytes were read by no split or by two, lines do not add up to the text, or a bgzip file lacks its
        end-of-file marker.
    """
    if not reports or len({report.path for report in reports}) != 1:
        raise ValueError("check_reports takes the reports of exactly one file")
    path = reports[0].path
    ordered = sorted(reports, key=lambda report: report.start)
    _check_tiling(path, "split", [(report.start, report.end) for report in ordered], size)
    blocks = [
        (report.first_block, report.next_block)
        for report in ordered
        if report.first_block is not None and report.next_block is not None
    ]
    _check_tiling(path, "block", blocks, size)
    if kind is Kind.BGZIP:
        _check_eof_marker(path, ordered, size)
    _check_text(path, ordered)


def _check_tiling(path: str, what: str, ranges: list[tuple[int, int]], size: int) -> None:
    edges = [(0, 0), *ranges, (size, size)]
    for (_, end), (start, _) in pairwise(edges):
        if start > end:
            raise BadSource(
                f"{path}: bytes {end} to {start} of {size} were read in no {what}: the file is damaged at "
                f"byte {end}, was cut short there, or changed while it was read. {_RECOPY}"
            )
        if start < end:
            raise BadSource(
                f"{path}: bytes {start} to {end} of {size} were read in more than one {what}: the file is "
                f"longer than planned or changed while it was read, or a report came twice. {_RECOPY}"
            )


def _check_eof_marker(path: str, ordered: Sequence[SplitReport], size: int) -> None:
    last = next(report for report in reversed(ordered) if report.next_block is not None)
    if not last.saw_eof_marker:
        raise BadSource(
            f"{path}: the file was cut short at byte {size}: it lacks the "
            f"{len(END_OF_FILE)}-byte end-of-file "
            "marker of bgzip, so lines may be missing. Copy it again from its source; if it is known to be "
            "whole, rewrite it: bgzip -dc FILE | bgzip > NEW.vcf.gz"
        )


def _check_text(path: str, ordered: Sequence[SplitReport]) -> None:
    inflated = sum(report.bytes_inflated_owned for report in ordered)
    given = sum(report.line_bytes for report in ordered)
    added = sum(report.added_newline for report in ordered)
    if added > 1 or given != inflated + added:
        raise BadSource(
            f"{path}: the file holds {inflated} bytes of text from byte 0 on, but {given} bytes were given "
            f"out as lines ({added} line ends added): it changed while it was read. {_RECOPY}"
        )
