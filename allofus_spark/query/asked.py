"""What a person may write for a variant: its id, its rs number, or a gene."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from allofus_spark.genome import Build, ReferenceSequence, normalise_alleles, variant_id

# A long allele stands in an id as its length and digest.
_REF = r"[A-Za-z]+|\d+:[0-9a-f]{16}"
_VARIANT = re.compile(
    rf"(?P<contig>\S+?)(?P<sign>[-:_\s])(?P<position>[\d,]+)(?P=sign)(?P<ref>{_REF})[-:_\s>](?P<alt>\S+)"
)
_RS_NUMBER = re.compile(r"rs\d+", re.IGNORECASE)
_BASES = re.compile("[ACGTN]+")


@dataclass(frozen=True)
class Asked:
    """An allele as written, alleles of bases in upper case."""

    contig: str
    position: int
    ref: str
    alt: str

    @property
    def id(self) -> str:
        return variant_id(self.contig, self.position, self.ref, self.alt)

    def normal_form(self, reference: ReferenceSequence | None) -> Asked:
        """Trimmed, and left-aligned where there is a reference; itself where an allele is not of bases."""
        pair = (self.ref, self.alt)
        if self.ref == self.alt or self.position < 1 or not all(map(_BASES.fullmatch, pair)):
            return self
        positions, refs, alts = normalise_alleles(
            self.contig, np.array([self.position]), [self.ref.encode()], [self.alt.encode()], reference
        )
        return Asked(self.contig, int(positions[0]), refs[0].decode(), alts[0].decode())


def read_allele(text: str, build: Build) -> Asked | None:
    """The allele that ``text`` names: contig, position, ref and alt with ``-``, ``:``, ``_`` or a blank
    between; None: it names none. Raises BuildMismatch for a contig of another build.

    >>> from allofus_spark.genome import load_build
    >>> read_allele("22:19,963,748:g>a", load_build("GRCh38"))
    Asked(contig='chr22', position=19963748, ref='G', alt='A')
    """
    parts = _VARIANT.fullmatch(text.strip())
    if parts is None:
        return None
    ref, alt = (allele.upper() if allele.isalpha() else allele for allele in (parts["ref"], parts["alt"]))
    contig = build.canonical_contig(parts["contig"])
    return Asked(contig, int(parts["position"].replace(",", "")), ref, alt)


def read_rs_number(text: str) -> str | None:
    """The rs number that ``text`` is, in lower case; None: it is none."""
    return text.strip().lower() if _RS_NUMBER.fullmatch(text.strip()) else None
