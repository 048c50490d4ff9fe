"""Bases of the reference genome, read from an indexed FASTA in cached blocks."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pysam

from allofus_spark.checksums import file_checksum
from allofus_spark.errors import BadSource
from allofus_spark.genome.builds import Build
from allofus_spark.genome.fasta_index import find_index, read_index

_BLOCK_BASES = 1 << 16
# 16 MiB a process; enough for the neighbourhoods of several sorted streams at once.
_MAX_CACHED_BLOCKS = 256
_GZIP_MAGIC = b"\x1f\x8b"
# Offset 12 of a bgzip block: the extra field that holds the block's size.
_BGZIP_EXTRA = b"BC"


class ReferenceSequence:
    """Random access to a FASTA, plain or bgzip, by the build's contig names.

    Can be pickled: a copy opens the file anew. Also safe after a fork, as two processes never share a file
    position.

    Parameters
    ----------
    path
        The FASTA; its index (.fai, and .gzi if it is compressed) lies beside it.
    build
        The build that the FASTA must be of. A FASTA of the first part of a contig is accepted.
    block_bases
        Bases read at a time.

    Attributes
    ----------
    warnings
        What is odd about the FASTA, as sentences.

    Raises
    ------
    BadSource
        The file or an index is missing, or two of its contigs are one contig of the build.
    BuildMismatch
        A contig has not the build's length.
    """

    def __init__(self, path: str | Path, build: Build, *, block_bases: int = _BLOCK_BASES) -> None:
        self.path = Path(path)
        self.build = build
        lengths = read_index(_checked_index(self.path))
        self.warnings = build.check_contig_lengths(lengths, where=str(path), allow_partial=True)
        renames = build.contig_renames(lengths)
        self._spellings: dict[str, str] = {}
        self._lengths: dict[str, int] = {}
        for spelling, length in lengths.items():
            contig = renames.get(spelling) or build.canonical_contig(spelling)
            if contig in self._spellings:
                both = f"{self._spellings[contig]} and {spelling}"
                raise BadSource(f"{path}: {both} are both contig {contig} of {build.name}; keep one")
            self._spellings[contig] = spelling
            self._lengths[contig] = length
        self._block_bases = block_bases
        self._forget()

    def _forget(self) -> None:
        self._blocks: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._fasta: Any = None
        self._fasta_process = -1

    def __getstate__(self) -> dict[str, Any]:
        kept_out = ("_blocks", "_fasta", "_fasta_process")
        return {name: value for name, value in self.__dict__.items() if name not in kept_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def length(self, contig: str) -> int | None:
        """Bases of a contig in the FASTA; None if it has no such contig."""
        return self._lengths.get(self.build.canonical_contig(contig))

    def spelling(self, contig: str) -> str:
        """The FASTA's own name of a contig; raises KeyError where it has none."""
        return self._spellings[self.build.canonical_contig(contig)]

    def fetch(self, contig: str, start0: int, end0: int) -> bytes:
        """Upper-case bases of the 0-based half-open interval, cut to the contig's ends.

        Raises
        ------
        KeyError
            The FASTA has no such contig.
        BadSource
            The file is shorter than its index says.
        """
        contig = self.build.canonical_contig(contig)
        start0, end0 = max(start0, 0), min(end0, self._lengths[contig])
        if start0 >= end0:
            return b""
        size = self._block_bases
        numbers = range(start0 // size, (end0 - 1) // size + 1)
        bases = b"".join([self._block(contig, number) for number in numbers])
        offset = numbers[0] * size
        return bases[start0 - offset : end0 - offset]

    def _block(self, contig: str, number: int) -> bytes:
        key = (contig, number)
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = self._read(contig, number)
            if len(self._blocks) > _MAX_CACHED_BLOCKS:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end(key)
        return block

    def _read(self, contig: str, number: int) -> bytes:
        start0 = number * self._block_bases
        end0 = min(start0 + self._block_bases, self._lengths[contig])
        try:
            if self._fasta_process != os.getpid():
                self._fasta = pysam.FastaFile(str(self.path))
                self._fasta_process = os.getpid()
            bases: bytes = self._fasta.fetch(self._spellings[contig], start0, end0).upper().encode()
        except (OSError, ValueError) as error:
            raise BadSource(f"{self.path}: {contig}:{start0 + 1}-{end0} cannot be read: {error}") from error
        if len(bases) != end0 - start0:
            raise BadSource(
                f"{self.path}: {contig}:{start0 + 1}-{end0} has {len(bases)} bases: the file is cut short or "
                f"is not the one that was indexed; make the index again with: samtools faidx {self.path}"
            )
        return bases

    def checksum(self) -> str:
        """SHA-256 of the file as it lies there, in hexadecimal; reads the whole file."""
        return file_checksum(self.path)


def _checked_index(path: Path) -> Path:
    if path.suffix == ".fai":
        raise BadSource(f"{path} is an index; give the FASTA itself, {path.with_suffix('')}")
    index = find_index(path)
    with path.open("rb") as file:
        head = file.read(18)
    if not head.startswith(_GZIP_MAGIC):
        return index
    if head[12:14] != _BGZIP_EXTRA:
        raise BadSource(f"{path} is plain gzip, which gives no random access; compress it with bgzip")
    if not path.with_name(path.name + ".gzi").is_file():
        raise BadSource(f"{path} has no .gzi index beside it; make one with: samtools faidx {path}")
    return index
