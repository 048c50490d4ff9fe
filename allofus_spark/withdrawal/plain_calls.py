"""Calls read from the stored columns by other means than the engine's decoder: for proofs alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.cohort import COPIES, COUNTS, Strata
from allofus_spark.genome import Build, ploidy_regions

_LISTS = {"het_index": 1, "hom_alt_index": 2, "missing_index": 3}


def plain_calls(rows: pa.RecordBatch, n_samples: int) -> npt.NDArray[np.int8]:
    """int8[rows, n_samples] of 0 to 3, from rows with the genotype columns of one callset."""
    calls = np.zeros((rows.num_rows, n_samples), np.int8)
    dense = np.flatnonzero(np.asarray(rows.column("calls").is_valid()))
    for row in dense:
        payload = np.frombuffer(rows.column("calls")[int(row)].as_py(), np.uint8)
        bits = np.unpackbits(payload, bitorder="little").astype(np.int8)
        calls[row] = (bits[0::2] + 2 * bits[1::2])[:n_samples]
    for name, call in _LISTS.items():
        column = rows.column(name)
        calls[np.asarray(pc.list_parent_indices(column)), np.asarray(pc.list_flatten(column))] = call
    return calls


def not_hom_ref(rows: pa.RecordBatch, n_samples: int, slots: Sequence[int]) -> int:
    """Rows in which any of the slots has a call that is not hom-ref."""
    return int(plain_calls(rows, n_samples)[:, list(slots)].any(axis=1).sum())


def recount(rows: pa.RecordBatch, strata: Strata, build: Build) -> Mapping[str, npt.NDArray[np.int32]]:
    """int32[rows, strata] by name of COUNTS, one stratum after the other."""
    calls = plain_calls(rows, len(strata.of_sample))
    regions = ploidy_regions(rows.column("contig"), rows.column("position"), build)
    made = {name: np.zeros((rows.num_rows, len(strata.names)), np.int32) for name in COUNTS}
    for number, sex in enumerate(strata.sex_classes):
        own = calls[:, strata.of_sample == number]
        het, hom, missing = ((own == call).sum(axis=1) for call in (1, 2, 3))
        copies = np.array([COPIES[int(region)][sex] for region in regions])
        called = own.shape[1] - missing
        made["n_het"][:, number] = np.where(copies == 2, het, 0)
        made["n_hom_alt"][:, number] = np.where(copies == 2, hom, 0)
        made["n_hemi_alt"][:, number] = np.where(copies == 1, hom, 0)
        made["n_het_missing"][:, number] = np.where(copies == 1, het, 0)
        made["an_called"][:, number] = copies * called - np.where(copies == 1, het, 0)
    return made
