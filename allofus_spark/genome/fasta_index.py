"""The index beside a FASTA (`.fai`): where it is, and which contigs of which lengths it lists."""

from __future__ import annotations

from pathlib import Path

from allofus_spark.errors import BadSource

_FASTA_SUFFIXES = (".fa", ".fasta", ".fna")
_COMPRESSED_SUFFIXES = (".gz", ".bgz")


def is_fasta_name(name: str) -> bool:
    """Whether a file of this name is taken for a FASTA or for the index of one."""
    return name.endswith(".fai") or _without(name, _COMPRESSED_SUFFIXES).endswith(_FASTA_SUFFIXES)


def fasta_stem(name: str) -> str:
    """File name without the endings of a FASTA: `ref.fa.gz` and `ref.fa.gz.fai` give `ref`."""
    return _without(_without(name.removesuffix(".fai"), _COMPRESSED_SUFFIXES), _FASTA_SUFFIXES)


def _without(name: str, suffixes: tuple[str, ...]) -> str:
    for suffix in suffixes:
        name = name.removesuffix(suffix)
    return name


def find_index(fasta: Path) -> Path:
    """Path of the index of a FASTA, or of the index itself.

    Raises
    ------
    BadSource
        The FASTA is not there or has no index beside it.
    """
    if not fasta.is_file():
        raise BadSource(f"{fasta}: there is no such file; give the path of a FASTA or of its index (.fai)")
    if fasta.name.endswith(".fai"):
        return fasta
    index = fasta.with_name(fasta.name + ".fai")
    if not index.is_file():
        raise BadSource(f"{fasta} has no index beside it; make one with: samtools faidx {fasta}")
    return index


def read_index(index: Path) -> dict[str, int]:
    """Contig -> length in bases, in the order of the index.

    Raises
    ------
    BadSource
        The index is empty, a line is not of its form, or a contig is there twice.
    """
    lengths: dict[str, int] = {}
    remedy = f"make it again with: samtools faidx {index.with_name(index.name.removesuffix('.fai'))}"
    for number, line in enumerate(index.read_text(encoding="utf-8").splitlines(), start=1):
        fields = line.split("\t")
        if len(fields) < 5 or not fields[1].isdigit():
            raise BadSource(f"{index}, line {number}: this is no line of a FASTA index; {remedy}")
        if fields[0] in lengths:
            raise BadSource(f"{index}, line {number}: contig {fields[0]} is there twice; rename one")
        lengths[fields[0]] = int(fields[1])
    if not lengths:
        raise BadSource(f"{index} lists no contig; {remedy}")
    return lengths
