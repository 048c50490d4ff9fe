"""Cells of allele counts: those of a cohort, what earlier releases show of them, and what is to be shown."""

from __future__ import annotations

from dataclasses import dataclass

from allofus_spark.release.closure import Flags, Ints


@dataclass(frozen=True)
class Counts:
    """True counts of a cohort.

    ``ac``, ``an``, ``n_hom``: int64[rows, 1 + groups], ``all`` first, the unlabelled included in it;
    ``diploid``: bool[rows], whether everybody has two copies there, so that an = 2 × people called;
    ``people``: int64[1 + groups], participants with genomes.
    """

    ac: Ints
    an: Ints
    n_hom: Ints
    diploid: Flags
    people: Ints


@dataclass(frozen=True)
class Earlier:
    """What an earlier release shows of the same variants; as `Counts`, with -1 where it shows nothing.

    ``present``: bool[rows], whether it has the variant at all: if not, nobody in it carried the allele.
    """

    ac: Ints
    an: Ints
    n_hom: Ints
    present: Flags
    people: Ints


@dataclass(frozen=True)
class Shown:
    """Cells to show: bool[rows, 1 + groups] each; af and faf95 are shown with ac."""

    ac: Flags
    an: Flags
    n_hom: Flags
