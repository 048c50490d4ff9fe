"""Groups of a callset's samples that variants are counted in: by ancestry, sex class and relatedness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allofus_spark.cohort import Slot, build_strata


@dataclass(frozen=True)
class Groups:
    """Groups of one callset; a sample is in one.

    ``of_sample`` int32[n_samples] is the group of each slot in callset order, ``len(sizes)`` where its person
    withdrew, ``sizes`` int64[groups] the
    samples in each. ``tested`` float64[groups, 1 + ancestries] of 0 and 1 says which count for
    excess heterozygosity (first column) and for the Hardy-Weinberg test of each ancestry.
    """

    of_sample: npt.NDArray[np.int32]
    sizes: npt.NDArray[np.int64]
    sex_classes: tuple[str, ...]
    tested: npt.NDArray[np.float64]

    @property
    def n_tested(self) -> npt.NDArray[np.int64]:
        """int64[ancestries]: samples in the Hardy-Weinberg test of each ancestry."""
        return np.asarray(self.sizes @ self.tested[:, 1:]).astype(np.int64)

    @property
    def has_labels(self) -> bool:
        """Whether anybody is in the Hardy-Weinberg test of an ancestry."""
        return bool(self.n_tested.any())


def build_groups(
    callset_id: str,
    samples: Sequence[Slot],
    ancestry_groups: Sequence[str],
    unrelated: frozenset[str] | None,
) -> Groups:
    """Divide a callset's samples, given in callset order.

    ``unrelated`` are sample ids; None: not known, and all samples count. Raises BadSamples where a label is
    not among the groups.
    """
    strata = build_strata(callset_id, samples, ancestry_groups)
    chosen = np.array(
        [one is not None and (unrelated is None or one.sample_id in unrelated) for one in samples], np.int32
    )
    of_sample = 2 * strata.of_sample + chosen  # odd groups count, even ones do not
    ancestries = [ancestry for ancestry, _ in strata.names]
    tested = np.zeros((2 * len(strata.names), 1 + len(ancestry_groups)))
    tested[1::2, 0] = 1
    for column, name in enumerate(ancestry_groups, 1):
        tested[1::2, column] = [ancestry == name for ancestry in ancestries]
    # Who withdrew is in one group more, which has no size and is left out of every count.
    sizes = np.bincount(of_sample, minlength=len(tested))[: len(tested)].astype(np.int64)
    return Groups(of_sample, sizes, tuple(np.repeat(strata.sex_classes, 2).tolist()), tested)
