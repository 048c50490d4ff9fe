"""What a format is to an export: how tasks write its parts, and what the driver puts around them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from allofus_spark.export.people import People
from allofus_spark.export.variants import Variants
from allofus_spark.genome import Build


class Writer(Protocol):
    """A file that bytes are appended to."""

    def write(self, data: bytes | memoryview, /) -> object: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Summary:
    """What all parts together hold: alleles, contigs in order, names of filters, and the last position."""

    n_variants: int
    contigs: tuple[str, ...]
    filters: tuple[str, ...]
    last_position: int


@dataclass(frozen=True)
class Format(ABC):
    """A file format; goes to the workers by pickle.

    ``endings`` are the files that are made of parts; each is a head, the parts in genomic order, and a tail.
    ``batch_bytes`` bounds what ``pieces`` makes at once.
    """

    people: People
    build: Build
    batch_bytes: int

    endings: ClassVar[tuple[str, ...]]
    tail: ClassVar[bytes] = b""

    @abstractmethod
    def pieces(self, variants: Variants) -> Iterator[tuple[str, bytes | memoryview]]:
        """Bytes to append to a part of each file, by ending."""

    @abstractmethod
    def heads(self, summary: Summary) -> Mapping[str, bytes]:
        """What each file begins with, by ending."""

    @abstractmethod
    def check(self) -> None:
        """Raise where the format cannot hold these people."""

    def open_part(self, path: Path) -> Writer:
        return path.open("wb")

    def companions(self) -> Mapping[str, bytes]:
        """Small files beside those made of parts, by ending."""
        return {}
