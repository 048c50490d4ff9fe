"""Homozygotes: where they are shown, and what they tell of who came or left since an earlier release."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from allofus_spark.release.cells import Counts, Earlier
from allofus_spark.release.closure import Flags, Ints


def homozygotes_shown(
    counts: Counts, ac_shown: Flags, labelled: Flags, earlier: Sequence[Earlier], floor: int
) -> Flags:
    """Homozygotes where each of the three genotypes is of more than ``floor`` people.

    Those of ``all`` only where those of every group, and so of the remainder, are.
    """
    called = counts.an // 2
    parts = np.stack([counts.ac, counts.n_hom, called])
    safe = ac_shown & ((counts.ac == 0) | (counts.diploid[:, None] & _parts_safe(parts, floor)))
    rest = _rest(parts, labelled)
    every = _parts_safe(rest, floor)
    for release in earlier:
        shown = (release.ac >= 0) & (release.an >= 0) & release.present[:, None]
        safe &= ~(shown & homozygotes_tell(counts, counts.n_hom, release, floor))
        # Of others, whose AC that release withholds, a sum may still tell nearly all.
        others = (counts.people != release.people) | (counts.people < 0)
        safe &= shown | ~others | ~release.present[:, None] | (counts.ac == 0)
        then = np.stack([release.ac, release.n_hom, release.an // 2])
        labelled_then = release.an[:, 1:] >= 0
        unmoved = _parts_unmoved(rest - _rest(then, labelled_then), floor)
        whole = (release.n_hom[:, 0] >= 0) & release.present
        every &= ~whole | (unmoved & (labelled == labelled_then).all(axis=1))
        if others.any():
            every &= ~release.present  # groups' homozygotes and AC of both may tell nearly all of them
    safe[:, 0] &= every & (safe[:, 1:] | ~labelled).all(axis=1)
    return np.asarray(safe)


def _rest(parts: Ints, labelled: Flags) -> Ints:
    """Of parts int64[3, rows, 1 + groups] those of the remainder: int64[3, rows]."""
    return np.asarray(parts[:, :, 0] - np.where(labelled, parts[:, :, 1:], 0).sum(axis=2))


def _parts_safe(parts: Ints, floor: int) -> Flags:
    """Whether each of the three genotypes is of more than ``floor`` people, or all people are of one.

    A genotype that nobody has is withheld as those of few are: else null would tell that some have it.
    """
    ac, n_hom, called = parts
    genotypes = np.stack([n_hom, ac - 2 * n_hom, called - ac + n_hom])
    everybody = (ac == 2 * called) & (called > floor)
    return np.asarray((ac == 0) | everybody | (genotypes > floor).all(axis=0))


def _parts_unmoved(change: Ints, floor: int) -> Flags:
    """Whether each of three genotypes changed by none or more than ``floor``, or nobody carries still."""
    ac, n_hom, called = change
    changes = np.abs(np.stack([n_hom, ac - 2 * n_hom, called - ac + n_hom]))
    unmoved = ((changes == 0) | (changes > floor)).all(axis=0)
    return np.asarray(unmoved | ((ac == 0) & (n_hom == 0)))


def homozygotes_tell(counts: Counts, n_hom: Ints, release: Earlier, floor: int) -> Flags:
    """Whether homozygotes (-1: withheld) of both, or of one and AC, tell of 1..floor who came or left."""
    low, high = _possible(counts.ac, counts.an, n_hom)
    low_then, high_then = _possible(release.ac, release.an, release.n_hom)
    least, most = low - high_then, high - low_then
    told = ((least >= 1) & (most <= floor)) | ((least >= -floor) & (most <= -1))
    ac, an = counts.ac - release.ac, counts.an - release.an
    down = an < 0
    least, most = np.where(down, -most, least), np.where(down, -least, most)
    ac, called = np.where(down, -ac, ac), np.abs(an) // 2
    # Where people only came, or only left, each genotype among them is one or several of these.
    least, most = np.maximum(least, np.maximum(ac - called, 0)), np.minimum(most, ac // 2)
    nested = (ac > 0) & (ac <= 2 * called) & (least <= most)
    for fewest, highest in (
        (least, most),
        (ac - 2 * most, ac - 2 * least),
        (called - ac + least, called - ac + most),
        (ac - most, ac - least),
        (called - most, called - least),
    ):
        told |= nested & (fewest >= 1) & (highest <= floor)
    same = (counts.people == release.people) & (counts.people >= 0)
    return np.asarray(told & counts.diploid[:, None] & ~same)


def _possible(ac: Ints, an: Ints, n_hom: Ints) -> tuple[Ints, Ints]:
    """Lowest and highest number of homozygotes, by AC where they are not known."""
    known = n_hom >= 0
    return np.where(known, n_hom, np.maximum(ac - an // 2, 0)), np.where(known, n_hom, ac // 2)
