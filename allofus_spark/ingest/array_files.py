"""Files that hold calls as arrays (PLINK 1 .bed, PLINK 2 .pgen, BGEN), opened so that tasks read ranges."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.errors import BadSamples, BadSource
from allofus_spark.genotypes.bgen import Bgen, BgenIndex, index_bgen, open_bgen, read_bgen, read_bgen_samples
from allofus_spark.genotypes.bgen_index import cut_bgen
from allofus_spark.genotypes.encoding import Packed
from allofus_spark.genotypes.pgen import Pgen, open_pgen, read_pgen
from allofus_spark.genotypes.plink1 import BED_HEADER, check_bed, read_bed, with_alleles_swapped
from allofus_spark.genotypes.sample_files import read_oxford_samples, read_samples
from allofus_spark.genotypes.sites import SITES, SiteFile, open_sites, read_sites
from allofus_spark.genotypes.text_columns import ROWS_A_MARK


class VariantCalls(NamedTuple):
    """Variants in a row: ``sites`` (columns of genotypes.sites.SITES) and a packed row for each of its alts.

    ``haploid`` uint8[variants, ceil(n / 4)] has 1 in the two bits of each haploid call, ``n_polyploid``
    int64[variants] counts calls over two alleles, which are missing; None: the format knows neither.
    """

    sites: pa.Table
    packed: Packed
    haploid: Packed | None = None
    n_polyploid: npt.NDArray[np.int64] | None = None


class ArrayFile(Protocol):
    """An opened file of one kind; goes to the workers by pickle.

    ``knows_reference``: which allele is the reference stands in the file.
    """

    @property
    def path(self) -> str: ...

    @property
    def samples(self) -> tuple[str, ...]: ...

    @property
    def knows_reference(self) -> bool: ...

    @property
    def companions(self) -> tuple[str, ...]: ...

    def cut(self, n_parts: int) -> list[ArrayPart]:
        """At most ``n_parts`` ranges that follow each other, for as many tasks."""
        ...


class ArrayPart(Protocol):
    """A range of variants of a file; ``first`` is the number of its first variant in the file."""

    @property
    def first(self) -> int: ...

    @property
    def n_variants(self) -> int: ...

    def sites(self, *, ref_first: bool) -> pa.Table:
        """Sites of all variants; ``ref_first``: the first allele is the reference, else the last."""
        ...

    def read(self, start: int, stop: int, sites: pa.Table, *, ref_first: bool) -> VariantCalls:
        """The variants [start, stop) of the range; ``sites`` are theirs, as of ``sites``."""
        ...


@dataclass(frozen=True)
class PlinkFile:
    """A .bed with .bim and .fam (``pgen`` None), or a .pgen with .pvar and .psam."""

    path: str
    samples: tuple[str, ...]
    site_file: SiteFile
    companions: tuple[str, ...]
    pgen: Pgen | None

    @property
    def knows_reference(self) -> bool:
        return self.pgen is not None and self.pgen.knows_reference

    def cut(self, n_parts: int) -> list[ArrayPart]:
        # Sites of a part are held at once: of few samples, few bytes of calls have many variants.
        n_parts = max(n_parts, -(-self.site_file.n_variants // ROWS_A_MARK))
        edges = np.linspace(0, self.site_file.n_variants, n_parts + 1).astype(int).tolist()
        return [PlinkPart(self, begin, end) for begin, end in pairwise(edges) if end > begin]


@dataclass(frozen=True)
class PlinkPart:
    """The variants [first, end) of a PLINK file."""

    file: PlinkFile
    first: int
    end: int

    @property
    def n_variants(self) -> int:
        return self.end - self.first

    def sites(self, *, ref_first: bool) -> pa.Table:
        pgen, site_file = self.file.pgen, self.file.site_file
        with open(site_file.rows.path, "rb") as stream:
            a1_is_alt = pgen is not None or not ref_first
            sites = read_sites(stream, site_file, self.first, self.end, a1_is_alt=a1_is_alt)
        return sites if pgen is None or ref_first else _swapped_alleles(sites)

    def read(self, start: int, stop: int, sites: pa.Table, *, ref_first: bool) -> VariantCalls:
        begin, end = self.first + start, self.first + stop
        pgen, n_samples = self.file.pgen, len(self.file.samples)
        with open(self.file.path, "rb") as stream:
            if pgen is None:
                packed = read_bed(stream, self.file.path, n_samples, begin, end, a1_is_alt=not ref_first)
                return VariantCalls(sites, packed)
            n_alts = np.asarray(pc.list_value_length(sites["alts"]))
            packed = read_pgen(stream, pgen, begin, end, n_alts)
        if not ref_first:
            rows = np.repeat(n_alts == 1, n_alts)
            packed[rows] = with_alleles_swapped(packed[rows], n_samples)
        return VariantCalls(sites, packed)


def _swapped_alleles(sites: pa.Table) -> pa.Table:
    """REF and ALT in each other's place, where there is one ALT."""
    single = pc.equal(pc.list_value_length(sites["alts"]), 1)
    alt = pc.binary_join(sites["alts"], ",")
    refs = pc.if_else(single, alt, sites["ref"])
    alts = pc.split_pattern(pc.if_else(single, sites["ref"], alt), ",")
    return sites.set_column(3, "ref", refs).set_column(4, "alts", alts).cast(SITES)


@dataclass(frozen=True)
class BgenFile:
    """A BGEN file; its samples stand in it, or in a .sample file beside it."""

    path: str
    samples: tuple[str, ...]
    bgen: Bgen
    companions: tuple[str, ...]
    knows_reference: bool = False

    def cut(self, n_parts: int) -> list[ArrayPart]:
        with open(self.path, "rb") as stream:
            parts = cut_bgen(stream, self.bgen, n_parts)
        firsts = np.cumsum([0, *(part.n_variants for part in parts)]).tolist()
        return [BgenPart(part, first) for part, first in zip(parts, firsts, strict=False)]


@dataclass(frozen=True)
class BgenPart:
    """A range of variants, described as a BGEN file of its own."""

    bgen: Bgen
    first: int

    @property
    def n_variants(self) -> int:
        return self.bgen.n_variants

    def sites(self, *, ref_first: bool) -> pa.Table:
        return _index(self.bgen, ref_first, os.stat(self.bgen.path).st_mtime_ns).sites

    def read(self, start: int, stop: int, sites: pa.Table, *, ref_first: bool) -> VariantCalls:
        modified = os.stat(self.bgen.path).st_mtime_ns
        spans = _index(self.bgen, ref_first, modified).spans[start:stop]
        with open(self.bgen.path, "rb") as stream:
            calls = read_bgen(stream, self.bgen, spans, ref_first=ref_first)
        return VariantCalls(sites, calls.packed, calls.haploid, calls.n_polyploid)


@lru_cache(maxsize=2)  # one range, both ways round: its batches come one after the other
def _index(bgen: Bgen, ref_first: bool, modified: int) -> BgenIndex:  # noqa: ARG001 - part of the key
    with open(bgen.path, "rb") as stream:
        return index_bgen(stream, bgen, ref_first=ref_first)


def is_array_file(head: bytes) -> bool:
    """Whether a file that begins so is .bed, .pgen or BGEN."""
    return head.startswith(BED_HEADER[:2]) or head[16:20] == b"bgen"


def open_array_file(path: str, head: bytes) -> ArrayFile:
    """The file with its companions, checked against them; ``head`` are its first bytes.

    Raises BadSource naming the companion that is absent, or what does not fit.
    """
    if not head.startswith(BED_HEADER[:2]):
        return _open_bgen(path)
    stem = os.path.splitext(path)[0]
    # Mode 0 is a .bed of before PLINK 1.0, and 1 can be a .pgen as well.
    is_bed = head[2:3] in (b"\0", b"\1") and not path.endswith(".pgen")
    sites_path = _companion(path, *([f"{stem}.bim"] if is_bed else [f"{stem}.pvar", f"{stem}.pvar.zst"]))
    samples_path = _companion(path, f"{stem}.fam" if is_bed else f"{stem}.psam")
    with open(path, "rb") as file, open(sites_path, "rb") as lines, open(samples_path, "rb") as people:
        samples = tuple(read_samples(people, samples_path))
        site_file = open_sites(lines, sites_path)
        pgen = None
        if is_bed:
            check_bed(file, path, len(samples), site_file.n_variants)
        else:
            pgen = open_pgen(file, path, len(samples), site_file.n_variants)
    return PlinkFile(path, samples, site_file, (sites_path, samples_path), pgen)


def _open_bgen(path: str) -> BgenFile:
    samples_path = f"{os.path.splitext(path)[0]}.sample"
    with open(path, "rb") as file:
        bgen = open_bgen(file, path)
        own_ids = read_bgen_samples(file, bgen).to_pylist() if bgen.has_sample_ids else None
    if own_ids is not None and not os.path.isfile(samples_path):
        return BgenFile(path, tuple(own_ids), bgen, ())
    with open(_companion(path, samples_path), "rb") as people:
        samples = read_oxford_samples(people, samples_path, bgen.n_samples)
    if own_ids not in (None, samples):
        raise BadSamples(
            f"{path}: its sample ids are not those of {samples_path} beside it, and either could be right. "
            "Take the wrong ones away: move the .sample file, or write the BGEN without ids"
        )
    return BgenFile(path, tuple(samples), bgen, (samples_path,))


def _companion(path: str, *candidates: str) -> str:
    found = next((candidate for candidate in candidates if os.path.isfile(candidate)), None)
    if found is None:
        raise BadSource(f"{path}: needs {' or '.join(candidates)} beside it, which is not there")
    return found


def batches_of(n_alts: npt.NDArray[np.integer], rows: int) -> Iterator[tuple[int, int]]:
    """[start, stop) of variants after the other that have at most ``rows`` alternates together, or one."""
    before = np.concatenate([[0], np.cumsum(n_alts)])
    start = 0
    while start < len(n_alts):
        stop = int(np.searchsorted(before, before[start] + rows, side="right")) - 1
        stop = max(stop, start + 1)
        yield start, stop
        start = stop
