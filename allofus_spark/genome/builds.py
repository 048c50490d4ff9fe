"""Genome builds as data: contigs and their spellings, lengths, pseudoautosomal regions, variant ids.

A warehouse has one build. Whatever a source calls its contigs, they get the build's names here, and a source
whose contig lengths or accessions belong to another build is refused before a record of it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from allofus_spark.errors import BuildMismatch
from allofus_spark.genome import variant_ids
from allofus_spark.genome.assemblies import assemblies_of_length, molecule_key, molecules_of_accession

# Copies that count at a position: everyone two; XX two and XY one; XX none and XY one; everyone one.
DIPLOID = 0
X_NONPAR = 1
Y_NONPAR = 2
MITOCHONDRIAL = 3

# UCSC's chrM of hg18 and hg19 is an older sequence than the revised Cambridge one (NC_012920) of the builds.
OLD_MITOCHONDRION = "NC_001807"
_OLD_MITOCHONDRION_LENGTH = 16571

# PLINK's names for X, Y, the pseudoautosomal part of X, and MT (numbers in PLINK 1, PAR1 and PAR2 in PLINK
# 2).
_PLINK_KEYS = {"23": "x", "24": "y", "25": "x", "26": "mt", "xy": "x", "par1": "x", "par2": "x"}


@dataclass(frozen=True)
class Build:
    """A genome build.

    Attributes
    ----------
    name
        GRCh38, GRCh37, or the file stem of the FASTA that a custom build was made from.
    contig_lengths
        Canonical contig name -> length in bases. Other contigs (alternate loci, decoys, unplaced) are not
        listed.
    par
        Pseudoautosomal regions as (contig, first, last), 1-based, both ends inclusive.
    accessions
        RefSeq accession with version -> canonical contig; empty for a custom build.
    """

    name: str
    contig_lengths: Mapping[str, int] = field(hash=False)
    par: tuple[tuple[str, int, int], ...] = ()
    accessions: Mapping[str, str] = field(default_factory=dict, hash=False)

    variant_id = staticmethod(variant_ids.variant_id)

    @cached_property
    def _contig_of_key(self) -> dict[str, str]:
        contigs = {molecule_key(contig): contig for contig in self.contig_lengths}
        # In a custom build 23 may be a chromosome of its own: PLINK's codes are for human builds only.
        codes = {code: contigs[key] for code, key in _PLINK_KEYS.items()} if self.accessions else {}
        return codes | contigs

    @cached_property
    def autosomes(self) -> tuple[str, ...]:
        """Contigs of which everyone has two copies: all but X, Y and the mitochondrion."""
        return tuple(contig for contig in self.contig_lengths if molecule_key(contig) not in ("x", "y", "mt"))

    def canonical_contig(self, spelling: str) -> str:
        """The build's name of a contig; contigs that the build does not list come back as spelled.

        Raises
        ------
        BuildMismatch
            The spelling is a chromosome's accession in another build, or lacks the version that tells builds
            apart.
        """
        if spelling in self.contig_lengths:
            return spelling
        contig = self._contig_of_key.get(molecule_key(spelling))
        return contig if contig is not None else self._contig_of_accession(spelling)

    def _contig_of_accession(self, spelling: str) -> str:
        accession = spelling.upper()
        if accession in self.accessions:
            return self.accessions[accession]
        stem = accession.partition(".")[0]
        if stem == OLD_MITOCHONDRION:
            return OLD_MITOCHONDRION
        if not self.accessions or not stem.startswith("NC_"):
            return spelling
        others = molecules_of_accession(accession)
        if others:
            raise BuildMismatch(
                f"contig {spelling} is {others[0].contig} of {others[0].assembly}, but the build here is "
                f"{self.name}; give a source of build {self.name}"
            )
        if stem in {known.partition(".")[0] for known in self.accessions}:
            raise BuildMismatch(
                f"contig {spelling} is an accession without a version known on {self.name}, so its build "
                f"cannot be told; rename it to its full accession or to the contig name of {self.name}"
            )
        return spelling

    def contig_renames(self, lengths: Mapping[str, int | None]) -> dict[str, str]:
        """Spellings that must not be read as the contig they look like -> the name to keep them under.

        On GRCh37 this is UCSC's chrM of 16571 bases: its positions are not those of MT.

        Parameters
        ----------
        lengths
            Contig as spelled in a source -> length in bases that the source declares; None where it
            declares none.
        """
        if self.name != "GRCh37":
            return {}
        return {
            spelling: OLD_MITOCHONDRION
            for spelling, length in lengths.items()
            if length == _OLD_MITOCHONDRION_LENGTH and molecule_key(self.canonical_contig(spelling)) == "mt"
        }

    def check_contig_lengths(
        self, lengths: Mapping[str, int | None], *, where: str, allow_partial: bool = False
    ) -> list[str]:
        """Hold the contig lengths that a source declares to the build; give warnings.

        Parameters
        ----------
        lengths
            Contig as spelled in the source -> declared length in bases; None where it declares none.
        where
            The source, for messages.
        allow_partial
            Accept, with a warning, a contig that is shorter than the build's and has no other assembly's
            length: a FASTA of the first part of a chromosome.

        Raises
        ------
        BuildMismatch
            A length differs; the message names the assembly that has it, where one does.
        """
        try:
            renames = self.contig_renames(lengths)
            contigs = {spelling: self.canonical_contig(spelling) for spelling in lengths} | renames
        except BuildMismatch as error:
            raise BuildMismatch(f"{where}: {error}") from None
        warnings = [
            f"{where}: contig {spelling} of {_OLD_MITOCHONDRION_LENGTH} bases is not the mitochondrion of "
            f"{self.name}; it is kept as another contig, {OLD_MITOCHONDRION}"
            for spelling in renames
        ]
        different = []
        for spelling, length in lengths.items():
            expected = self.contig_lengths.get(contigs[spelling])
            if expected is None or length is None or length == expected:
                continue
            if allow_partial and length < expected and not assemblies_of_length(contigs[spelling], length):
                warnings.append(
                    f"{where}: contig {spelling} has {length} of the {expected} bases of {self.name}; "
                    f"alleles past its end can be neither checked nor left-aligned"
                )
            else:
                different.append(spelling)
        if different:
            raise BuildMismatch(self._length_message(lengths, contigs, different, where))
        if contigs and not any(contig in self.contig_lengths for contig in contigs.values()):
            warnings.append(
                f"{where}: none of its {len(contigs)} contigs ({_some(list(contigs))}) is one of build "
                f"{self.name}; all are kept as other contigs"
            )
        return warnings

    def _length_message(
        self, lengths: Mapping[str, int | None], contigs: Mapping[str, str], different: list[str], where: str
    ) -> str:
        # The contig that says most is one whose length is known from another assembly.
        owners = {
            spelling: assemblies_of_length(contigs[spelling], lengths[spelling] or 0)
            for spelling in different
        }
        spelling = next((spelling for spelling in different if owners[spelling]), different[0])
        owner = f", as in {' and '.join(owners[spelling])}" if owners[spelling] else ""
        return (
            f"{where}: contig {spelling} has {lengths[spelling]} bases{owner}, but "
            f"{self.contig_lengths[contigs[spelling]]} on {self.name}; {len(different)} of {len(lengths)} "
            f"contigs differ ({_some(different)}). Give a source of build {self.name}, or use a warehouse of "
            f"the source's build"
        )

    def ploidy_regions(self, contig: str, positions: NDArray[np.int64]) -> NDArray[np.int8]:
        """Which rule of ploidy holds at each position of one contig.

        A custom build has no pseudoautosomal regions: all of its X and Y, if it has contigs of these names,
        is non-pseudoautosomal. All other contigs are diploid.

        Parameters
        ----------
        contig
            Contig in any spelling.
        positions
            1-based positions, shape (n,).

        Returns
        -------
        Codes DIPLOID, X_NONPAR, Y_NONPAR or MITOCHONDRIAL, shape (n,).
        """
        contig = self.canonical_contig(contig)
        is_old_mitochondrion = contig == OLD_MITOCHONDRION
        key = "mt" if is_old_mitochondrion else molecule_key(contig)
        codes = {"x": X_NONPAR, "y": Y_NONPAR, "mt": MITOCHONDRIAL}
        regions = np.full(len(positions), codes.get(key, DIPLOID), dtype=np.int8)
        for par_contig, first, last in self.par:
            if par_contig == contig:
                regions[(positions >= first) & (positions <= last)] = DIPLOID
        return regions


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
