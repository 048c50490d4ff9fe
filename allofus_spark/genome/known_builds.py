"""Builds by name, and custom ones from the index of a FASTA."""

from __future__ import annotations

import difflib
import json
from functools import cache
from pathlib import Path

from allofus_spark.errors import BadSource, BuildMismatch
from allofus_spark.genome.assemblies import (
    assembled_molecules,
    assemblies_of_length,
    molecule_key,
    pseudoautosomal_regions,
)
from allofus_spark.genome.builds import Build
from allofus_spark.genome.fasta_index import fasta_stem, find_index, is_fasta_name, read_index

_BUILD_OF_NAME = {
    "grch38": "GRCh38",
    "hg38": "GRCh38",
    "grch37": "GRCh37",
    "hg19": "GRCh37",
    "b37": "GRCh37",
}


def load_build(name_or_path: str) -> Build:
    """A known build by name, or a custom one from a FASTA or its index.

    Parameters
    ----------
    name_or_path
        GRCh38, hg38, GRCh37, hg19 or b37 in any case; or the path of a FASTA that has an index beside it,
        or of the index (.fai). A custom build is called by the file's stem, has the contigs of the index
        and no pseudoautosomal regions.

    Raises
    ------
    BuildMismatch
        The name is not known, or the FASTA is one of a known build.
    BadSource
        The FASTA or its index is missing or cannot be read.
    """
    known = _BUILD_OF_NAME.get(name_or_path.lower())
    if known is not None:
        return _known_build(known)
    path = Path(name_or_path)
    if is_fasta_name(path.name) or path.is_file():
        return _custom_build(path)
    close = difflib.get_close_matches(name_or_path.lower(), _BUILD_OF_NAME, n=1)
    suggestion = f"; did you mean {_BUILD_OF_NAME[close[0]]}?" if close else "."
    raise BuildMismatch(
        f"build {name_or_path!r} is not known{suggestion} Known are GRCh38 (hg38) and GRCh37 (hg19, b37), "
        f"and any FASTA with an index beside it, by its path"
    )


def build_as_text(build: Build) -> str:
    """What makes the build again: its name; of a custom one, JSON with the lengths of its contigs too."""
    if build.name.lower() in _BUILD_OF_NAME:
        return build.name
    return json.dumps({"name": build.name, "contig_lengths": dict(build.contig_lengths)})


def build_from_text(text: str) -> Build:
    """The build that `build_as_text` wrote."""
    if not text.startswith("{"):
        return load_build(text)
    held = json.loads(text)
    return Build(name=held["name"], contig_lengths=held["contig_lengths"])


@cache
def _known_build(name: str) -> Build:
    molecules = [molecule for molecule in assembled_molecules() if molecule.assembly == name]
    return Build(
        name=name,
        contig_lengths={molecule.contig: molecule.length for molecule in molecules},
        par=tuple(
            (contig, first, last)
            for assembly, contig, first, last in pseudoautosomal_regions()
            if assembly == name
        ),
        accessions={molecule.accession: molecule.contig for molecule in molecules},
    )


def _custom_build(path: Path) -> Build:
    name = fasta_stem(path.name)
    lengths = read_index(find_index(path))
    spelling_of_key: dict[str, str] = {}
    for contig, length in lengths.items():
        key = molecule_key(contig)
        if key in spelling_of_key:
            raise BadSource(
                f"{path}: {spelling_of_key[key]} and {contig} are two spellings of one contig name"
            )
        spelling_of_key[key] = contig
        # A custom build has no pseudoautosomal regions: calls there would be counted wrongly.
        owners = (
            set(assemblies_of_length(contig, length)) & set(_BUILD_OF_NAME.values()) if key == "x" else set()
        )
        if owners:
            owner = owners.pop()
            raise BuildMismatch(f"{path} is a FASTA of {owner}: give {owner} as the build")
    if name.lower() in _BUILD_OF_NAME:
        raise BuildMismatch(
            f"{path}: a custom build cannot be called {name}, the name of a known one; give {name} as the "
            f"build, or rename the file"
        )
    return Build(name=name, contig_lengths=lengths)
