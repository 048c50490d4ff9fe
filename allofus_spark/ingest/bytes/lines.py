"""The lines of a split: which they are, and the report of what was read for them.

Which split a line belongs to follows Hadoop's rule: a split that does not begin at byte 0 leaves out
everything through the first line feed of its own text, and every split reads on through the first line feed
at or after its end. So a line belongs to the split that holds the line feed before it, and one that runs
over several splits to the first of them. A line ends at a line feed and nowhere else: carriage returns and
NUL bytes are handed on as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from allofus_spark.errors import BadSource
from allofus_spark.ingest.bytes.chunks import LineBuffer, LineChunk
from allofus_spark.ingest.bytes.pieces import ByteStream
from allofus_spark.ingest.bytes.readers import open_pieces
from allofus_spark.ingest.bytes.splits import Split, SplitReport

_LINE_FEED = b"\n"


def read_chunks(stream: ByteStream, split: Split, *, chunk_bytes: int, max_line_bytes: int) -> SplitReader:
    """Read the lines of a split in chunks.

    Parameters
    ----------
    stream
        The whole file, opened for reading bytes. For a split that begins at byte 0 it must stand there and is
        never asked to seek.
    chunk_bytes
        About the size of a chunk: a chunk is given out when it has reached this and holds a whole line.
        Memory stays at about two chunks, or three times the longest line where that is more. From about
        32 MiB on, fresh memory from the system makes reading slower by a third.
    max_line_bytes
        A longer line, its line feed not counted, is refused.

    Returns
    -------
    SplitReader
        Iterate over it, then read its `report` and pass the reports of all splits of the file to
        `check_reports`: only that check proves that nothing is missing.

    Raises
    ------
    BadSource
        On iteration, where the file is damaged, cut short or changed.
    """
    return SplitReader(stream, split, chunk_bytes=chunk_bytes, max_line_bytes=max_line_bytes)


class SplitReader:
    """Iterator over the chunks of one split; see `read_chunks`."""

    def __init__(self, stream: ByteStream, split: Split, *, chunk_bytes: int, max_line_bytes: int) -> None:
        if chunk_bytes < 1 or max_line_bytes < 1:
            raise ValueError(
                f"chunk_bytes ({chunk_bytes}) and max_line_bytes ({max_line_bytes}) must be positive"
            )
        self._split = split
        self._pieces = open_pieces(
            stream, split.kind, split.path, start=split.start, end=split.end, piece_bytes=chunk_bytes
        )
        self._buffer = LineBuffer(split.path, split.kind, chunk_bytes, max_line_bytes)
        self._inflated = self._discarded = self._read_past = 0
        self._is_finished = False
        self._chunks = self._read()

    def __iter__(self) -> Iterator[LineChunk]:
        return self

    def __next__(self) -> LineChunk:
        return next(self._chunks)

    @property
    def report(self) -> SplitReport:
        """What was read; known only after the last chunk."""
        if not self._is_finished:
            raise RuntimeError(
                f"{self._split.path}: the report of a split is known only after its last chunk"
            )
        return SplitReport(
            path=self._split.path,
            start=self._split.start,
            end=self._split.end,
            first_block=self._pieces.first_block,
            next_block=self._pieces.next_block,
            bytes_inflated_owned=self._inflated,
            line_bytes=self._buffer.line_bytes,
            discarded_bytes=self._discarded,
            read_past_bytes=self._read_past,
            n_lines=self._buffer.n_lines,
            added_newline=self._buffer.added_newline,
            saw_eof_marker=self._pieces.saw_eof_marker,
        )

    def _read(self) -> Iterator[LineChunk]:
        for text, locator in self._own_text():
            self._buffer.append(text, locator)
            if self._buffer.is_full:
                yield self._buffer.take()
        self._buffer.finish()
        if self._buffer.has_lines:
            yield self._buffer.take()
        self._is_finished = True

    def _own_text(self) -> Iterator[tuple[bytes, int]]:
        """Give the text of the split's own lines, with locators: what is read, cut at both ends."""
        is_inside = self._split.start == 0
        for text, locator, is_owned in self._pieces:
            if is_owned:
                self._inflated += len(text)
                if is_inside:
                    yield text, locator
                    continue
            elif not is_inside:
                return  # one line of an earlier split covers all of this one
            else:
                self._refuse_growth()
            cut = text.find(_LINE_FEED) + 1 or len(text)
            ends_line = text.endswith(_LINE_FEED, 0, cut)
            if is_owned:
                self._discarded += cut
                is_inside = ends_line
                yield text[cut:], locator + cut
            else:
                self._read_past += cut
                yield text[:cut], locator
                if ends_line:
                    return

    def _refuse_growth(self) -> None:
        if self._split.end == self._split.size:
            raise BadSource(
                f"{self._split.path}: at byte {self._split.size}, the file goes on, though it ended there "
                "when the work was planned: it is still being written. Wait until it is whole and run again."
            )
