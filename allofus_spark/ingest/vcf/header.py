"""The header of a VCF file: its samples, contigs and whether it is a joint callset at all."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from allofus_spark.errors import BadSamples, BadSource, shown
from allofus_spark.genome import Build

FIXED_COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
_CONTIG = re.compile(rb"##contig=<(.*)>\s*$")
_FORMAT = re.compile(rb"##FORMAT=<ID=([A-Za-z_][0-9A-Za-z_.]*)[,>]")
_ATTRIBUTE = re.compile(rb'(\w+)=("(?:[^"\\]|\\.)*"|[^,]*)')
_REFERENCE_BLOCKS = (b"##GVCFBlock", b"##ALT=<ID=NON_REF", b"##ALT=<ID=*,", b"##ALT=<ID=<*>")


@dataclass(frozen=True)
class VcfHeader:
    """What ingest needs of a header. ``column_line`` is the #CHROM line without its line end."""

    samples: tuple[str, ...]
    contig_lengths: dict[str, int | None]
    formats: frozenset[str]
    column_line: bytes
    has_reference_blocks: bool
    sha256: str

    @property
    def n_columns(self) -> int:
        return self.column_line.count(b"\t") + 1

    @property
    def sample_list_sha256(self) -> str:
        return hashlib.sha256("\n".join(self.samples).encode()).hexdigest()


def parse_header(lines: Sequence[bytes], path: str) -> VcfHeader:
    """The header of the leading ``#`` lines of a file.

    Raises BadSource where it is no VCF header or announces a gVCF, BadSamples where ids repeat or are empty.
    """
    if not lines or not lines[0].startswith(b"##fileformat=VCFv4"):
        begin = lines[0][:40].decode("utf-8", "backslashreplace") if lines else "no header line"
        raise BadSource(f"{path}: not a VCF 4 file: it must begin with ##fileformat=VCFv4.x, not: {begin}")
    if not lines[-1].startswith(b"#CHROM"):
        raise BadSource(f"{path}: the header has no #CHROM line before the first record")
    stray = [number for number, line in enumerate(lines[:-1], 1) if not line.startswith(b"##")]
    if stray:
        raise BadSource(f"{path}: header line {stray[0]} begins with a single # but is not the last one")
    samples = _samples(lines[-1], path)
    header = VcfHeader(
        samples=samples,
        contig_lengths=declared_contigs(lines),
        formats=frozenset(found[1].decode() for line in lines if (found := _FORMAT.match(line))),
        column_line=bytes(lines[-1]),
        has_reference_blocks=any(line.startswith(_REFERENCE_BLOCKS) for line in lines),
        sha256=hashlib.sha256(b"\n".join(lines)).hexdigest(),
    )
    if header.has_reference_blocks and len(samples) == 1:
        raise BadSource(
            f"{path}: a single-sample gVCF (its header declares reference blocks), not a joint callset; "
            "combine the gVCFs first, e.g. with Hail: hl.vds.new_combiner(gvcf_paths=[...], "
            "output_path='cohort.vds', temp_path='tmp', use_genome_default_intervals=True).run()"
        )
    return header


def _samples(column_line: bytes, path: str) -> tuple[str, ...]:
    try:
        columns = column_line.decode("utf-8").split("\t")
    except UnicodeDecodeError as error:
        raise BadSource(f"{path}: the #CHROM line is not UTF-8 at byte {error.start}") from None
    if tuple(columns[:8]) != FIXED_COLUMNS or (len(columns) > 8 and columns[8] != "FORMAT"):
        raise BadSource(
            f"{path}: the #CHROM line must hold, between tabs, {' '.join(FIXED_COLUMNS)} and, with samples, "
            f"FORMAT; it begins: {column_line[:80].decode('utf-8', 'backslashreplace')!r}"
        )
    samples = tuple(columns[9:])
    repeated = [name for name, count in Counter(samples).items() if count > 1]
    if repeated:
        raise BadSamples(
            f"{path}: {len(repeated)} sample ids stand more than once in the header: {shown(repeated)}. "
            "Ids must be unique; rename or drop the repeated columns."
        )
    if any(not name.strip() for name in samples):
        place = next(i for i, name in enumerate(samples) if not name.strip())
        raise BadSamples(f"{path}: sample column {place + 1} has an empty id")
    return samples


def declared_contigs(lines: Sequence[bytes]) -> dict[str, int | None]:
    """Contig to length of the ``##contig`` lines; None where a line gives none."""
    lengths: dict[str, int | None] = {}
    for line in lines:
        found = _CONTIG.match(line)
        if not found:
            continue
        attributes = {key: value.strip(b'"') for key, value in _ATTRIBUTE.findall(found[1])}
        name = attributes.get(b"ID", b"").decode("utf-8", "backslashreplace")
        length = attributes.get(b"length", b"")
        if name:
            lengths[name] = int(length) if length.isdigit() else None
    return lengths


def hold_against_build(headers: Iterable[tuple[str, VcfHeader]], build: Build) -> tuple[str, ...]:
    """Warnings about headers, given as (path, header); raises BuildMismatch where one is another build's."""
    warnings: dict[str, None] = {}
    declared = False
    for path, header in headers:
        warnings |= dict.fromkeys(build.check_contig_lengths(header.contig_lengths, where=path))
        declared |= any(header.contig_lengths.values())
    if not declared:
        warnings[
            f"no header gives contig lengths: that the files are of build {build.name} is taken on trust. "
            "With a reference FASTA (genome.reference_fasta) every REF is held against it"
        ] = None
    return tuple(warnings)
