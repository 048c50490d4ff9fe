"""Packed calls to the text of VCF's sample columns."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes import Packed

# The four diploid calls, each with the tab before it, and those of one copy where one is meant. There a
# stored het is written as it is, so that nothing is lost.
_DIPLOID = (b"\t0/0", b"\t0/1", b"\t1/1", b"\t./.")
_HAPLOID = (b"\t0", b"\t0/1", b"\t1", b"\t.")
CALL_BYTES = 4  # of the longest

_TEXTS = np.zeros((2, 4, CALL_BYTES), np.uint8)
_LENGTHS = np.zeros((2, 4), np.int64)
for _form, _calls in enumerate((_DIPLOID, _HAPLOID)):
    for _call, _text in enumerate(_calls):
        _TEXTS[_form, _call, : len(_text)] = list(_text)
        _LENGTHS[_form, _call] = len(_text)
# The texts of the four diploid calls of a byte.
_QUADS = np.array(
    [np.concatenate([_TEXTS[0, (value >> shift) & 3] for shift in (0, 2, 4, 6)]) for value in range(256)],
    np.uint8,
)


@numba.njit(cache=True, nogil=True)
def _write_diploid(packed, n_samples, text, at, quads):  # type: ignore[no-untyped-def]
    """Write a row's calls at ``at``; the end."""
    for byte in range(n_samples // 4):
        quad = quads[packed[byte]]
        for place in range(16):
            text[at + place] = quad[place]
        at += 16
    for place in range(4 * (n_samples % 4)):
        text[at + place] = quads[packed[-1], place]
    return at + 4 * (n_samples % 4)


@numba.njit(cache=True, nogil=True)
def _write_mixed(packed, one_copy, text, at, texts, lengths):  # type: ignore[no-untyped-def]
    """As ``_write_diploid`` where one copy is meant of some samples."""
    for sample in range(len(one_copy)):
        call = (packed[sample >> 2] >> ((sample & 3) * 2)) & 3
        form = 1 if one_copy[sample] else 0
        for place in range(lengths[form, call]):
            text[at + place] = texts[form, call, place]
        at += lengths[form, call]
    return at


@numba.njit(cache=True, nogil=True)
def _write_lines(  # type: ignore[no-untyped-def]
    fixed, offsets, packed, regions, one_copy, any_one_copy, text, quads, texts, lengths
):
    """Write all lines; the length of the text."""
    at = 0
    n_samples = one_copy.shape[1]
    for row in range(packed.shape[0]):
        length = offsets[row + 1] - offsets[row]
        text[at : at + length] = fixed[offsets[row] : offsets[row + 1]]
        at += length
        region = regions[row]
        if any_one_copy[region]:
            at = _write_mixed(packed[row], one_copy[region], text, at, texts, lengths)
        else:
            at = _write_diploid(packed[row], n_samples, text, at, quads)
        text[at] = 10
        at += 1
    return at


def genotype_lines(
    fixed: tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]],
    packed: Packed,
    regions: npt.NDArray[np.int8],
    one_copy: npt.NDArray[np.bool_],
) -> npt.NDArray[np.uint8]:
    """Lines of VCF, uint8[bytes]: the text before the first sample, then a GT a sample.

    Parameters
    ----------
    fixed
        uint8 bytes and int32[rows + 1] offsets of the text up to FORMAT, without a tab behind it.
    packed
        uint8[rows, ceil(n / 4)].
    regions
        int8[rows], ploidy region of each row.
    one_copy
        bool[regions, n]: of whom one copy is meant there.
    """
    data, offsets = fixed
    most = int(offsets[-1] - offsets[0]) + len(packed) * (CALL_BYTES * one_copy.shape[1] + 1)
    text = np.empty(most, np.uint8)
    length = _write_lines(
        data, offsets, packed, regions, one_copy, one_copy.any(axis=1), text, _QUADS, _TEXTS, _LENGTHS
    )
    return text[:length]
