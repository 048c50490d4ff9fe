"""Published facts about human assemblies: lengths, accessions, pseudoautosomal regions, contig spellings.

The facts are two tables beside this module. Two of the assemblies are builds that a warehouse can have; the
others are kept so that an error can say what a file belongs to, and not only what it does not belong to.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True)
class AssembledMolecule:
    """One chromosome of one assembly: its name there, length in bases and RefSeq accession with version."""

    assembly: str
    contig: str
    length: int
    accession: str


def rows_of_data(table: str) -> list[list[str]]:
    text = files(__package__).joinpath("data", table).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [line.split("\t") for line in lines[1:]]


@lru_cache(maxsize=1)
def assembled_molecules() -> tuple[AssembledMolecule, ...]:
    """Every molecule of every assembly that is known here."""
    return tuple(
        AssembledMolecule(assembly, contig, int(length), accession)
        for assembly, contig, length, accession in rows_of_data("contigs.tsv")
    )


@lru_cache(maxsize=1)
def pseudoautosomal_regions() -> tuple[tuple[str, str, int, int], ...]:
    """Pseudoautosomal regions as (assembly, contig, first, last), 1-based, both ends inclusive."""
    return tuple(
        (assembly, contig, int(first), int(last))
        for assembly, _, contig, first, last in rows_of_data("pseudoautosomal.tsv")
    )


def molecule_key(contig: str) -> str:
    """What the spellings of one contig share: `chr1`, `Chr1`, `1` and `01` give `1`; `chrM` gives `mt`.

    Contigs of other kinds give a key that no chromosome has.
    """
    key = contig.lower().removeprefix("chr")
    key = key.lstrip("0") or key
    return "mt" if key == "m" else key


def assemblies_of_length(contig: str, length: int) -> list[str]:
    """Names of the assemblies whose molecule of this name, in any spelling, has this length in bases."""
    key = molecule_key(contig)
    return [
        molecule.assembly
        for molecule in assembled_molecules()
        if molecule.length == length and molecule_key(molecule.contig) == key
    ]


def molecules_of_accession(accession: str) -> list[AssembledMolecule]:
    """Molecules with this RefSeq accession, in upper case with its version; the mitochondrion has several."""
    return [molecule for molecule in assembled_molecules() if molecule.accession == accession]
