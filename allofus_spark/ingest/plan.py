"""What will be read: every file's kind and header checked, and the byte ranges that tasks take."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, TypeVar

from pyspark.sql import SparkSession

from allofus_spark.errors import AllofusError, BadSamples, BadSource, shown
from allofus_spark.genome import Build
from allofus_spark.ingest.array_files import ArrayFile, ArrayPart, is_array_file, open_array_file
from allofus_spark.ingest.array_source import ArraySource
from allofus_spark.ingest.bytes import (
    SNIFF_BYTES,
    ByteStream,
    Kind,
    Split,
    plan_splits,
    read_header_lines,
    sniff_kind,
)
from allofus_spark.ingest.files import SourceFile, list_sources, open_stream
from allofus_spark.ingest.filters import GenotypeFilters
from allofus_spark.ingest.hail_source import HailSource, hail_fingerprint, hail_kind
from allofus_spark.ingest.source import Source
from allofus_spark.ingest.vcf.header import VcfHeader, hold_against_build, parse_header
from allofus_spark.ingest.vcf_source import VcfSource, rows_with_calls
from allofus_spark.settings import IngestSettings
from allofus_spark.tables import Warehouse

Probed = TypeVar("Probed")

MAX_HEADER_BYTES = 256 * 1024 * 1024
_PROBE_THREADS = 8
_MIN_SPLIT_BYTES = 512 * 1024  # a task costs as much to start as half a MiB of bgzip to parse
_SPLITS_PER_CORE = 2  # so that one core's bad luck is the other's work


@dataclass(frozen=True)
class Probe:
    """What the beginning of a file says."""

    file: SourceFile
    kind: Kind
    header: VcfHeader


def probe_file(file: SourceFile, stream: ByteStream | BinaryIO) -> Probe:
    """Kind and header of one file; raises BadSource or BadSamples naming it."""
    head = stream.read(SNIFF_BYTES)
    kind = sniff_kind(head, path=file.path)
    stream.seek(0)
    lines, _ = read_header_lines(stream, kind, max_header_bytes=MAX_HEADER_BYTES, path=file.path)
    return Probe(file, kind, parse_header(lines, file.path))


def plan_source(
    warehouse: Warehouse, sources: Sequence[str], build: Build, *, progress: Callable[[str], None]
) -> Source:
    """The source that the paths are, found from their content: VCF, PLINK, BGEN, MatrixTable or VDS.

    Raises BadSource, BadSamples or BuildMismatch naming the file that cannot be read.
    """
    spark, settings = warehouse.spark, warehouse.settings.ingest
    # The first tells: shards can be thousands, and each look is a call to their file system.
    kind = hail_kind(spark, sources[0]) if sources else None
    if kind is not None:
        return plan_hail(spark, sources, kind, build, progress)
    files = list_sources(spark, sources)
    progress(f"reading the headers of {len(files)} files")
    with open_stream(spark, files[0]) as stream:
        holds_arrays = is_array_file(stream.read(SNIFF_BYTES))
    if holds_arrays:
        return plan_arrays(spark, files, settings)
    return plan_vcf(spark, files, build, split_bytes=settings.split_bytes)


def plan_hail(
    spark: SparkSession, sources: Sequence[str], kind: str, build: Build, progress: Callable[[str], None]
) -> HailSource:
    """Look at the one MatrixTable or VDS that the sources are."""
    if len(sources) > 1:
        raise BadSource(f"one Hail MatrixTable or VDS is a callset; {len(sources)} sources: {shown(sources)}")
    path = sources[0]
    # Imported here: Hail takes seconds that other sources would pay.
    from allofus_spark.ingest.hail_rows import open_hail

    progress(f"reading {kind} {path} with Hail")
    return HailSource(open_hail(spark, path, kind, build), hail_fingerprint(spark, path))


def plan_arrays(spark: SparkSession, files: Sequence[SourceFile], settings: IngestSettings) -> ArraySource:
    """Open PLINK or BGEN files with their companions, and cut them into ranges of variants.

    Raises BadSource for a file that is of another kind, damaged or not local, BadSamples where files have
    different samples.
    """
    opened = [_open_array(file) for file in files]
    kinds = sorted({os.path.splitext(file.path)[1] for file in opened})
    if len(kinds) > 1:
        raise BadSource(
            f"files of several kinds ({', '.join(kinds)}) are not one callset; name those of one kind"
        )
    for file in opened[1:]:
        check_same_samples((opened[0].path, opened[0].samples), (file.path, file.samples))
    total_bytes, cores = sum(file.size for file in files), spark.sparkContext.defaultParallelism
    parts: list[tuple[int, ArrayPart]] = []
    for place, (file, source_file) in enumerate(zip(opened, files, strict=True)):
        step = _split_step(source_file, total_bytes, settings.split_bytes, cores)
        parts += [(place, part) for part in file.cut(-(-source_file.size // step))]
    return ArraySource(
        files=tuple(opened),
        parts=tuple(parts),
        reference_allele=settings.reference_allele,
        fingerprint=fingerprint(
            (source_file, _companions_sha256(file)) for source_file, file in zip(files, opened, strict=True)
        ),
    )


def _open_array(file: SourceFile) -> ArrayFile:
    if file.local is None:
        raise BadSource(
            f"{file.path}: PLINK and BGEN files are read from a local or mounted folder; copy it there"
        )
    try:
        with open(file.local, "rb") as stream:
            head = stream.read(SNIFF_BYTES)
        if not is_array_file(head):
            raise BadSource(
                f"{file.path}: is no .bed, .pgen or BGEN file, as the first source is; ingest VCF files apart"
            )
        return open_array_file(file.local, head)
    except OSError as error:
        raise BadSource(f"{file.path}: cannot be read: {error}") from None


def _companions_sha256(file: ArrayFile) -> str:
    sizes = [f"{os.path.basename(path)}\t{os.path.getsize(path)}\n" for path in file.companions]
    return hashlib.sha256("".join([*sizes, *file.samples]).encode()).hexdigest()


def check_fields(source: Source, filters: GenotypeFilters) -> None:
    """Raise BadSource where the filters ask for a FORMAT field that the source does not declare."""
    absent = [field for field in filters.fields if field not in source.formats]
    if absent:
        raise BadSource(
            f"the genotype filters {', '.join(filters.rules)} need {', '.join(absent)}, which "
            f"{source.paths[0]} does not give; every call would be set to missing. "
            "Choose other ingest.genotype_filters."
        )


def plan_vcf(
    spark: SparkSession, files: Sequence[SourceFile], build: Build, *, split_bytes: int
) -> VcfSource:
    """Probe every file, hold them against each other and the build, and cut them into splits.

    Raises the first file's error with the number of further bad files; BadSamples where files have
    different samples (another order is fine), BuildMismatch where contig lengths are another build's.
    """
    probes = probe_all(spark, files, probe_file)
    for probe in probes[1:]:
        check_same_samples(
            (probes[0].file.path, probes[0].header.samples), (probe.file.path, probe.header.samples)
        )
    warnings = hold_against_build([(probe.file.path, probe.header) for probe in probes], build)
    alike: dict[str, VcfHeader] = {}  # one object for equal headers: tasks get thousands of shards by pickle
    return VcfSource(
        files=tuple(files),
        headers={probe.file.path: alike.setdefault(probe.header.sha256, probe.header) for probe in probes},
        splits=cut_files(spark, [(probe.file, probe.kind) for probe in probes], split_bytes),
        fingerprint=fingerprint((probe.file, probe.header.sha256) for probe in probes),
        warnings=warnings,
        rows_of=rows_with_calls,
    )


def fingerprint(headed_files: Iterable[tuple[SourceFile, str]]) -> str:
    """SHA-256 over name, size and a digest of the header of each file."""
    digest = hashlib.sha256()
    for file, header_sha256 in headed_files:
        name = file.uri.rsplit("/", 1)[-1]
        digest.update(f"{name}\t{file.size}\t{header_sha256}\n".encode())
    return digest.hexdigest()


def cut_files(
    spark: SparkSession, files: Sequence[tuple[SourceFile, Kind]], split_bytes: int
) -> tuple[Split, ...]:
    """The splits of all files, each of at most ``split_bytes``."""
    total_bytes = sum(file.size for file, _ in files)
    cores = spark.sparkContext.defaultParallelism
    return tuple(
        split
        for file, kind in files
        for split in plan_splits(
            file.path, kind, file.size, _split_step(file, total_bytes, split_bytes, cores)
        )
    )


def _split_step(file: SourceFile, total_bytes: int, split_bytes: int, cores: int) -> int:
    """Bytes of a split: no more than set, and few enough that all cores share a small callset.

    A file that tasks cannot open themselves comes to one task, whole.
    """
    if not file.local:
        return file.size
    return min(split_bytes, max(_MIN_SPLIT_BYTES, -(-total_bytes // (_SPLITS_PER_CORE * cores))))


def probe_all(
    spark: SparkSession,
    files: Sequence[SourceFile],
    probe: Callable[[SourceFile, ByteStream | BinaryIO], Probed],
) -> list[Probed]:
    """What ``probe`` finds in each file; raises the first error with the number of further bad files."""

    def attempt(file: SourceFile) -> Probed | AllofusError:
        try:
            with open_stream(spark, file) as stream:
                return probe(file, stream)
        except AllofusError as error:
            return error

    with ThreadPoolExecutor(_PROBE_THREADS) as pool:
        results = list(pool.map(attempt, files))
    errors = [result for result in results if isinstance(result, AllofusError)]
    if errors:
        more = f" ({len(errors) - 1} more of {len(files)} files are bad too)" if len(errors) > 1 else ""
        raise type(errors[0])(f"{errors[0]}{more}")
    return [result for result in results if not isinstance(result, AllofusError)]


def check_same_samples(first: tuple[str, Sequence[str]], other: tuple[str, Sequence[str]]) -> None:
    """Raise BadSamples unless two files, given as (path, samples), have the same samples in any order."""
    if first[1] == other[1]:
        return
    wanted, given = set(first[1]), set(other[1])
    if wanted == given:
        return
    differences = []
    for names, word in ((wanted - given, "lacks"), (given - wanted, "has besides")):
        if names:
            differences.append(f"{word} {len(names)}: {shown(sorted(names))}")
    raise BadSamples(
        f"{other[0]}: other samples than {first[0]}: it {'; it '.join(differences)}. "
        "Shards of one callset must have the same samples; ingest others as another callset."
    )
