"""Other ways to write an allele: with more reference bases around it, or further right in a repeat.

Bases around it come as the FASTA has them, lower case in repeats.
"""

from __future__ import annotations

import random

MOST_BASES = 40


class Reference:
    """A stretch of reference sequence around 1-based positions."""

    def __init__(self, first: int, sequence: str) -> None:
        self._first, self._sequence = first, sequence

    def bases(self, position: int, n: int) -> str:
        """``n`` bases from ``position`` on."""
        return self._sequence[position - self._first : position - self._first + n]


def rewrite(
    position: int, ref: str, alts: list[str], reference: Reference, rng: random.Random
) -> tuple[int, str, list[str]]:
    """The same alleles written otherwise."""
    shortest, longest = sorted((ref, alts[0]), key=len)
    if len(alts) == len(shortest) == 1 < len(longest) and longest[0] == shortest:
        position, ref, alts = _rolled(position, ref, alts[0], reference, rng.randrange(MOST_BASES))
    before, after = rng.randrange(6), rng.randrange(6)
    left = reference.bases(position - before, before)
    right = reference.bases(position + len(ref), after)
    return position - before, left + ref + right, [left + alt + right for alt in alts]


def _rolled(position: int, ref: str, alt: str, reference: Reference, most: int) -> tuple[int, str, list[str]]:
    """An insertion or deletion moved right as far as its repeat goes, up to ``most`` bases."""
    bases = (ref if len(ref) > len(alt) else alt)[1:]
    anchor = ref[0]
    for _ in range(most):
        # The base after the one before the indel (insertion), or after the deleted bases (deletion).
        step = len(bases) + 1 if len(ref) > len(alt) else 1
        following = reference.bases(position + step, 1).upper()
        if following != bases[0]:
            break
        anchor, bases, position = bases[0], bases[1:] + following, position + 1
    return (
        (position, anchor + bases, [anchor]) if len(ref) > len(alt) else (position, anchor, [anchor + bases])
    )
