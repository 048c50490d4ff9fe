"""What each sample's calls that are not hom-ref add to its counts.

``tally`` int64[n_samples, len(TALLY)] is added to in place. Hom-ref calls are the rest, so that a sparse row
costs what its carriers cost.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from allofus_spark.genotypes import HET, HOM_ALT, MISSING, CallBatch

# Kinds of alleles, and calls that carry one: a carried allele is counted once, in the column of both.
KINDS = ("n_transitions", "n_transversions", "n_other_snv", "n_insertion", "n_deletion", "n_other")
SNV_KINDS = KINDS[:3]
CARRYING = ("het", "hom_alt", "hemi_alt")
CARRIED = tuple(f"{kind}_{call}" for kind in KINDS for call in CARRYING)
TALLY = (
    *CARRIED,
    "n_diploid_missing",
    "n_haploid_missing",
    "n_singletons",
    "n_x_het",
    "n_x_missing",
    "expected_x_hets_missing",
    "n_not_in_catalogues",
)
_DIPLOID_MISSING, _HAPLOID_MISSING = 18, 19
_SINGLETON, _X_HET, _X_MISSING, _EXPECTED_MISSING, _NEW = range(20, 25)
_BLOCK = 256  # bytes of calls: the tallies of 1,024 samples stay in a core's cache from row to row
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
    # Of CARRYING het is 0; hom-alt is 1 and hemi-alt 2, by the copies that are meant.
    of_sample[3 * kind + (0 if call == HET else 3 - copies)] += 1
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
