"""What a person may write for a variant: its id, its rs number, or a gene."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from allofus_spark.genome import Build, ReferenceSequence, normalise_alleles, parse_variant_id, variant_id

# Other ways to write a variant id: a position with commas, _ or blanks between, G>A.
_SPELLED = re.compile(
    r"(?P<contig>[^\s\[\]<>]+)[-:_\s](?P<position>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)[-:_\s]"
    r"(?P<ref>[A-Za-z]+)[-:_\s>](?P<alt>\S+)"
)
_RS_NUMBER = re.compile(r"rs[0-9]+", re.IGNORECASE)
_BASES = re.compile("[ACGTN]+")


@dataclass(frozen=True)
class NamedAllele:
    """An allele as written, alleles of bases in upper case."""

    contig: str
    position: int
    ref: str
    alt: str

    @property
    def id(self) -> str:
        return variant_id(self.contig, self.position, self.ref, self.alt)

    def normal_form(self, reference: ReferenceSequence | None) -> NamedAllele:
        """Trimmed, and left-aligned where there is a reference; itself where an allele is not of bases."""
        pair = (self.ref, self.alt)
        if self.ref == self.alt or self.position < 1 or not all(map(_BASES.fullmatch, pair)):
            return self
        positions, refs, alts = normalise_alleles(
            self.contig, np.array([self.position]), [self.ref.encode()], [self.alt.encode()], reference
        )
        return NamedAllele(self.contig, int(positions[0]), refs[0].decode(), alts[0].decode())


def read_allele(text: str, build: Build) -> NamedAllele | None:
    """The allele that ``text`` names: contig, position, ref and alt with ``-``, ``:``, ``_`` or a blank
    between; None: it names none. Raises BuildMismatch for a contig of another build.

    >>> from allofus_spark.genome import load_build
    >>> read_allele("22:19,963,748:g>a", load_build("GRCh38"))
    NamedAllele(contig='chr22', position=19963748, ref='G', alt='A')
    """
    parts = parse_variant_id(text.strip()) or parse_variant_id(_as_id(text.strip()))
    if parts is None:
        return None
    contig, position, *alleles = parts
    ref, alt = (allele.upper() if allele.isalpha() else allele for allele in alleles)
    return NamedAllele(build.canonical_contig(contig), position, ref, alt)


def _as_id(text: str) -> str:
    """A variant id of what is spelled otherwise; the text itself where it is nothing such."""
    parts = _SPELLED.fullmatch(text)
    if parts is None:
        return text
    return "-".join((parts["contig"], parts["position"].replace(",", ""), parts["ref"], parts["alt"]))


def read_rs_number(text: str) -> str | None:
    """The rs number that ``text`` is, in lower case; None: it is none."""
    return text.strip().lower() if _RS_NUMBER.fullmatch(text.strip()) else None
