"""The normal form of an allele, restated from whole sequences; a reference kept in a string."""

from __future__ import annotations


def haplotype(position: int, ref: str, alt: str, sequence: str) -> str:
    """The sequence with the allele put in."""
    start = position - 1
    assert sequence[start : start + len(ref)] == ref
    return sequence[:start] + alt + sequence[start + len(ref) :]


def shared_at_start(first: str, second: str, most: int) -> int:
    return next((k for k in range(most) if first[k] != second[k]), most)


def plain_normal_form(position: int, ref: str, alt: str, sequence: str) -> tuple[int, str, str]:
    """Strip what reference and haplotype share, from the right as far as can be, then from the left."""
    changed = haplotype(position, ref, alt, sequence)
    shorter = min(len(sequence), len(changed))
    right = shared_at_start(sequence[::-1], changed[::-1], shorter)
    left = shared_at_start(sequence, changed, shorter - right)
    ref_end, alt_end = len(sequence) - right, len(changed) - right
    if left in (ref_end, alt_end):
        if left > 0:
            left -= 1
        else:
            ref_end, alt_end = ref_end + 1, alt_end + 1
    return left + 1, sequence[left:ref_end], changed[left:alt_end]


def plain_trim(position: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Shared bases cut from the right, then the left; one base of each allele stays."""
    while min(len(ref), len(alt)) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while min(len(ref), len(alt)) > 1 and ref[0] == alt[0]:
        position, ref, alt = position + 1, ref[1:], alt[1:]
    return position, ref, alt


class StringReference:
    """Stands in for `ReferenceSequence`: one contig, from a string."""

    def __init__(self, contig: str, sequence: str) -> None:
        self.contig, self.sequence = contig, sequence.encode()

    def length(self, contig: str) -> int | None:
        return len(self.sequence) if contig == self.contig else None

    def fetch(self, contig: str, start0: int, end0: int) -> bytes:
        assert contig == self.contig
        return self.sequence[max(start0, 0) : end0]
