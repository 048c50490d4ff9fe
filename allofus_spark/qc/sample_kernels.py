"""What each sample's calls that are not hom-ref add to its counts.

``tally`` int64[n_samples, len(TALLY)] is added to in place. Hom-ref calls are the rest, so that a sparse row
costs what its carriers cost.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes import HET, HOM_ALT, MISSING, CallBatch

# Kinds of alleles, as numbers of the columns that count their carriers.
KINDS = ("n_transitions", "n_transversions", "n_other_snv", "n_insertion", "n_deletion", "n_other")
TALLY = (
    *KINDS,
    "n_snv_het",
    "n_other_het",
    "n_snv_hom_alt",
    "n_other_hom_alt",
    "n_hemi_alt",
    "n_diploid_missing",
    "n_haploid_missing",
    "n_singletons",
    "n_x_het",
    "n_x_missing",
    "expected_x_hets_missing",
    "n_not_in_catalogues",
)
_SNV_KINDS = 3  # the first of KINDS
_SNV_HET, _OTHER_HET, _SNV_HOM_ALT, _OTHER_HOM_ALT, _HEMI_ALT = range(6, 11)
_DIPLOID_MISSING, _HAPLOID_MISSING = 11, 12
_BLOCK = 512  # bytes of calls: the tallies of 2,048 samples stay in a core's cache from row to row
_SINGLETON, _X_HET, _X_MISSING, _EXPECTED_MISSING, _NEW = range(13, 18)
# Marks of a row, as bits.
IS_SINGLETON, IS_NEW = 1, 2


@numba.njit(cache=True, nogil=True)
def _add_call(of_sample, call, copies, kind, marks, is_x, expected):  # type: ignore[no-untyped-def]
    """Add a call that is not hom-ref to the tally of one sample."""
    if is_x:
        if call == HET:
            of_sample[_X_HET] += 1
        elif call == MISSING:
            of_sample[_X_MISSING] += 1
            of_sample[_EXPECTED_MISSING] += expected
    if copies == 0:
        return
    if call == MISSING or (call == HET and copies == 1):
        of_sample[_DIPLOID_MISSING if copies == 2 else _HAPLOID_MISSING] += 1
        return
    of_sample[kind] += 1
    other = 0 if kind < _SNV_KINDS else 1
    if call == HET:
        of_sample[_SNV_HET + other] += 1
    elif copies == 2:
        of_sample[_SNV_HOM_ALT + other] += 1
    else:
        of_sample[_HEMI_ALT] += 1
    if marks & IS_SINGLETON:
        of_sample[_SINGLETON] += 1
    if marks & IS_NEW:
        of_sample[_NEW] += 1


@numba.njit(cache=True, nogil=True)
def _add_dense(tally, packed, rows, copies, sex, kind, marks, is_x, expected):  # type: ignore[no-untyped-def]
    n_samples = len(sex)
    for begin in range(0, packed.shape[1], _BLOCK):
        end = min(begin + _BLOCK, packed.shape[1])
        for at in range(packed.shape[0]):
            row = rows[at]
            for byte in range(begin, end):
                value = packed[at, byte]
                sample = 4 * byte
                while value and sample < n_samples:
                    call = value & 3
                    if call:
                        meant = copies[row, sex[sample]]
                        of_row = (call, meant, kind[row], marks[row], is_x[row], expected[row])
                        _add_call(tally[sample], *of_row)
                    value >>= 2
                    sample += 1


@numba.njit(cache=True, nogil=True)
def _add_sparse(tally, lists, call, copies, sex, kind, marks, is_x, expected):  # type: ignore[no-untyped-def]
    offsets, indices = lists
    for row in range(len(offsets) - 1):
        for at in range(offsets[row], offsets[row + 1]):
            sample = indices[at]
            meant = copies[row, sex[sample]]
            _add_call(tally[sample], call, meant, kind[row], marks[row], is_x[row], expected[row])


def add_calls(
    tally: npt.NDArray[np.int64],
    batch: CallBatch,
    copies: npt.NDArray[np.int32],
    sex: npt.NDArray[np.int32],
    kind: npt.NDArray[np.int8],
    marks: npt.NDArray[np.int8],
    is_x: npt.NDArray[np.bool_],
    expected: npt.NDArray[np.int64],
) -> None:
    """Add the calls of a batch to the tally.

    Parameters
    ----------
    tally
        int64[n_samples, len(TALLY)], changed in place.
    copies
        int32[rows, sex classes], copies that are meant.
    sex
        int32[n_samples], sex class of each sample.
    kind
        int8[rows], the place in KINDS of each allele.
    marks
        int8[rows], IS_SINGLETON: the allele count is 1; IS_NEW: no catalogue has the allele.
    is_x
        bool[rows], whether the row lies on non-PAR X.
    expected
        int64[rows], expected heterozygosity of rows on X in any unit.
    """
    of_rows = (copies, sex, kind, marks, is_x, expected)
    _add_dense(tally, batch.packed, batch.dense_rows, *of_rows)
    for lists, call in ((batch.het, HET), (batch.hom_alt, HOM_ALT), (batch.missing, MISSING)):
        _add_sparse(tally, lists, call, *of_rows)
