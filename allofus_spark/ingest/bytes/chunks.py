"""Large buffers of whole lines that know where in the file each of their bytes stood."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

import numba
import numpy as np
from numpy.typing import NDArray

from allofus_spark.errors import BadSource
from allofus_spark.ingest.bytes.kinds import Kind
from allofus_spark.ingest.bytes.pieces import MAX_PIECE_BYTES, describe_locator

_LINE_FEED = b"\n"
_NEWLINE = 10
_FEEDS, _ONES, _HIGHS = 0x0A0A0A0A0A0A0A0A, 0x0101010101010101, 0x8080808080808080


@numba.njit(cache=True, nogil=True)
def _find_lines(data, words):  # type: ignore[no-untyped-def]
    """Look at eight bytes at a time: lines of genotypes are long, and few words hold a newline."""
    feeds, ones, highs = np.uint64(_FEEDS), np.uint64(_ONES), np.uint64(_HIGHS)
    starts = np.empty(1024, np.int64)
    starts[0] = 0
    found = 1
    for word in range(len(words) + 1):
        if word < len(words):
            # Where a byte is a newline, `differs` has a zero byte, and the next line a high bit.
            differs = words[word] ^ feeds
            if ((differs - ones) & ~differs & highs) == 0:
                continue
        if found + 8 > len(starts):
            grown = np.empty(2 * len(starts), np.int64)
            grown[:found] = starts[:found]
            starts = grown
        for at in range(8 * word, min(8 * word + 8, len(data))):
            if data[at] == _NEWLINE:
                starts[found] = at + 1
                found += 1
    return starts[:found].copy()


@dataclass(frozen=True, eq=False)
class LineChunk:
    """Whole lines in a row.

    Attributes
    ----------
    data
        Shape (n_bytes,); every line ends in a line feed.
    run_starts, run_locators
        Shape (n_runs,): where in `data` each run of bytes begins that stood together in the file, and the
        locator of its first byte.
    """

    data: NDArray[np.uint8]
    run_starts: NDArray[np.int64]
    run_locators: NDArray[np.int64]

    @cached_property
    def line_starts(self) -> NDArray[np.int64]:
        """Shape (n_lines + 1,): where lines begin in `data`, and its length."""
        words = self.data[: len(self.data) // 8 * 8].view(np.uint64)
        starts: NDArray[np.int64] = _find_lines(self.data, words)
        return starts

    def locate(self, line_starts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return where in the file the bytes of `data` at `line_starts` stood; the shape is kept.

        BGZF virtual offsets for bgzip, byte offsets for text, byte offsets in the inflated text for gzip:
        they depend on the file alone, not on how it was split or chunked.
        """
        starts = np.asarray(line_starts, dtype=np.int64)
        run = np.searchsorted(self.run_starts, starts, side="right") - 1
        return self.run_locators[run] + (starts - self.run_starts[run])


class LineBuffer:
    """Gathers text and hands out the whole lines in it; the begun line stays for the next chunk."""

    def __init__(self, path: str, kind: Kind, chunk_bytes: int, max_line_bytes: int) -> None:
        self.n_lines = 0
        self.line_bytes = 0
        self.added_newline = False
        self._path = path
        self._kind = kind
        self._chunk_bytes = chunk_bytes
        self._usual_bytes = chunk_bytes + MAX_PIECE_BYTES
        self._max_line_bytes = max_line_bytes
        self._data = np.empty(0, dtype=np.uint8)
        self._filled = 0
        self._lines_end = 0  # just after the last line feed
        self._run_starts: list[int] = []
        self._run_locators: list[int] = []

    @property
    def has_lines(self) -> bool:
        return self._lines_end > 0

    @property
    def is_full(self) -> bool:
        return self._filled >= self._chunk_bytes and self.has_lines

    def append(self, text: bytes, locator: int) -> None:
        """Add text whose first byte stood at `locator`."""
        if not text:
            return
        self._reserve(self._filled + len(text))
        self._run_starts.append(self._filled)
        self._run_locators.append(locator)
        self._data[self._filled : self._filled + len(text)] = np.frombuffer(text, dtype=np.uint8)
        last = text.rfind(_LINE_FEED)
        if last >= 0:
            self._lines_end = self._filled + last + 1
        self._filled += len(text)
        if self._filled - self._lines_end > self._max_line_bytes:
            self._refuse_line(self._lines_end)

    def finish(self) -> None:
        """Close a last line that the file leaves without a line feed."""
        if self._filled > self._lines_end:
            self._reserve(self._filled + 1)
            self._data[self._filled] = ord(_LINE_FEED)
            self._filled += 1
            self._lines_end = self._filled
            self.added_newline = True

    def take(self) -> LineChunk:
        """Hand out every whole line; there must be one. The chunk owns its memory."""
        if self._lines_end > self._max_line_bytes:
            self._refuse_long_lines()
        n_runs = bisect_left(self._run_starts, self._lines_end)
        chunk = LineChunk(
            self._data[: self._lines_end],
            np.array(self._run_starts[:n_runs], dtype=np.int64),
            np.array(self._run_locators[:n_runs], dtype=np.int64),
        )
        self.line_bytes += self._lines_end
        self.n_lines += len(chunk.line_starts) - 1
        self._keep_begun_line()
        return chunk

    def _keep_begun_line(self) -> None:
        begun = self._data[self._lines_end : self._filled]
        run = bisect_right(self._run_starts, self._lines_end) - 1
        starts = [max(start - self._lines_end, 0) for start in self._run_starts[run:]]
        self._run_locators[run] += max(self._lines_end - self._run_starts[run], 0)
        self._run_locators = self._run_locators[run:] if begun.size else []
        self._run_starts = starts if begun.size else []
        self._data = begun.copy()  # the next array is made when the chunk's reader comes back for more
        self._filled = begun.size
        self._lines_end = 0

    def _reserve(self, needed: int) -> None:
        if needed > self._data.size:
            larger = np.empty(max(needed, 2 * self._data.size, self._usual_bytes), dtype=np.uint8)
            larger[: self._filled] = self._data[: self._filled]
            self._data = larger

    def _refuse_long_lines(self) -> None:
        ends = np.flatnonzero(self._data[: self._lines_end] == ord(_LINE_FEED))
        lengths = np.diff(ends, prepend=-1) - 1
        too_long = np.flatnonzero(lengths > self._max_line_bytes)
        if too_long.size:
            first = too_long[0]
            self._refuse_line(int(ends[first] - lengths[first]))

    def _refuse_line(self, start: int) -> NoReturn:
        run = bisect_right(self._run_starts, start) - 1
        locator = self._run_locators[run] + start - self._run_starts[run]
        raise BadSource(
            f"{self._path}: a line is longer than max_line_bytes ({self._max_line_bytes}); it begins at "
            f"{describe_locator(self._kind, locator)}. If the file is right, raise that setting; a file with "
            "carriage returns for line ends must be converted first: tr '\\r' '\\n'."
        )
