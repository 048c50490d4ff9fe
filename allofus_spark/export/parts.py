"""Tasks turn stretches of genotypes into parts of the files that an export makes.

Files of ``genotypes`` are sorted, and Spark reads them in pieces that are sorted too, in no order among each
other. A task therefore begins a new part wherever the alleles do not rise, and the driver puts the parts in
order by their first alleles. The number of tasks is the number of pieces that Spark reads (at most
``spark.sql.files.maxPartitionBytes`` of stored calls in each), and payloads are never shuffled.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.errors import ContractViolation
from allofus_spark.export.format import Format, Writer
from allofus_spark.export.sites import SiteList
from allofus_spark.export.variants import Variants
from allofus_spark.genotypes import decode

_KEY = ("position", "ref", "alt")
COLUMNS = ("contig", *_KEY, "het_index", "hom_alt_index", "missing_index", "calls")
PART_TYPE = (
    "stem string, contig string, rows long, first struct<position: int, ref: string, alt: string>, "
    "last struct<position: int, ref: string, alt: string>"
)
_ALLELE = pa.struct([("position", pa.int32()), ("ref", pa.string()), ("alt", pa.string())])
_PART = pa.schema(
    [
        ("stem", pa.string()),
        ("contig", pa.string()),
        ("rows", pa.int64()),
        ("first", _ALLELE),
        ("last", _ALLELE),
    ]
)

Allele = tuple[int, str, str]


@dataclass(frozen=True)
class Part:
    """A stretch of one contig as files ``stem + ending``; first and last allele."""

    stem: str
    contig: str
    rows: int
    first: Allele
    last: Allele


@dataclass(frozen=True)
class PartsJob:
    """Parts from rows of ``genotypes``; goes to the workers by pickle."""

    folder: Path
    sites: SiteList
    format: Format

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        part: _OpenPart | None = None
        for variants in self._selected(batches):
            if part is not None and not part.goes_on_with(variants):
                yield part.close()
                part = None
            if part is None:
                part = _OpenPart(self.folder, variants.contig, self.format)
            part.add(variants)
        if part is not None:
            yield part.close()

    def _selected(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Variants]:
        people = self.format.people
        for batch in batches:
            for run in rising_runs(batch):
                contig = run.column("contig")[0].as_py()
                chosen, sites = self.sites.lookup(contig, run)
                if not len(sites):
                    continue
                kept = run if len(sites) == run.num_rows else run.filter(pa.array(chosen))
                packed = decode(kept, people.n_in_callset).to_packed()
                yield Variants(contig, sites, people.take(packed))


def rising_runs(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Slices of one contig in each of which positions do not fall."""
    if not batch.num_rows:
        return
    codes = np.asarray(batch.column("contig").dictionary_encode().indices)
    positions = np.asarray(batch.column("position"))
    starts = np.flatnonzero((np.diff(codes) != 0) | (np.diff(positions) < 0)) + 1
    for start, stop in zip([0, *starts], [*starts, batch.num_rows], strict=True):
        yield batch.slice(start, stop - start)


class _OpenPart:
    """A part that is being written."""

    def __init__(self, folder: Path, contig: str, form: Format) -> None:
        self._stem = folder / f"part-{uuid.uuid4().hex}"
        self._contig = contig
        self._format = form
        self._files: dict[str, Writer] = {
            ending: form.open_part(Path(f"{self._stem}{ending}")) for ending in form.endings
        }
        self._first: dict[str, object] = {}
        self._last: dict[str, object] = {}
        self._rows = 0

    def goes_on_with(self, variants: Variants) -> bool:
        first = variants.alleles["position"][0].as_py()
        return self._contig == variants.contig and self._last["position"] <= first

    def add(self, variants: Variants) -> None:
        for ending, piece in self._format.pieces(variants):
            self._files[ending].write(piece)
        ends = variants.alleles.select(_KEY).take([0, len(variants.alleles) - 1]).to_pylist()
        self._first = self._first or ends[0]
        self._last = ends[1]
        self._rows += len(variants.alleles)

    def close(self) -> pa.RecordBatch:
        """Close the files; the report of the part."""
        for file in self._files.values():
            file.close()
        report = {"stem": str(self._stem), "contig": self._contig, "rows": self._rows}
        return pa.RecordBatch.from_pylist([report | {"first": self._first, "last": self._last}], _PART)


def in_rising_order(genotypes: DataFrame) -> DataFrame:
    """The same rows so that no file's stretch of a contig overlaps another's.

    As they lie where that holds already (alleles that left-alignment moved over the edge of two files are
    what breaks it), else shuffled. The check reads the key columns only.
    """
    allele = F.struct(*_KEY)
    files = genotypes.groupBy("contig", F.col("_metadata.file_path").alias("file"))
    spans = files.agg(F.min(allele).alias("first"), F.max(allele).alias("last")).collect()
    stretches = sorted((row.contig, tuple(row.first), tuple(row.last)) for row in spans)
    if _apart(stretches):
        return genotypes.select(*COLUMNS)
    return (
        genotypes.select(*COLUMNS).repartitionByRange("contig", *_KEY).sortWithinPartitions("contig", *_KEY)
    )


def order_parts(parts: Iterable[Part], contigs: Iterable[str]) -> list[Part]:
    """Parts in genomic order: contigs as given, then others by name.

    Raises ContractViolation where parts overlap.
    """
    rank = {contig: number for number, contig in enumerate(contigs)}
    ordered = sorted(parts, key=lambda part: (rank.get(part.contig, len(rank)), part.contig, part.first))
    if not _apart([(part.contig, part.first, part.last) for part in ordered]):
        raise ContractViolation(
            "genotypes: a file is not sorted by position, ref and alt, as its contract says; nothing was "
            "exported. Ingest the callset again with --replace"
        )
    return ordered


def _apart(stretches: list[tuple[str, Allele, Allele]]) -> bool:
    """Whether stretches, in order, share no allele and do not overlap."""
    pairs = itertools.pairwise(stretches)
    return all(before[0] != after[0] or before[2] < after[1] for before, after in pairs)
