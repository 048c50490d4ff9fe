"""Lists of reasons as Arrow columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def list_column(holds: Mapping[str, npt.NDArray[np.bool_]], closed: Collection[str]) -> pa.Array:
    """list<string>[rows] of the names that hold for each row, in the order of the closed list.

    Raises ValueError where the names are not those of the list.
    """
    if set(holds) != set(closed):
        raise ValueError(f"names {sorted(holds)} are not those of the closed list {sorted(closed)}")
    matrix = np.stack([holds[name] for name in closed], axis=1)
    offsets = np.zeros(len(matrix) + 1, np.int32)
    np.cumsum(matrix.sum(axis=1), out=offsets[1:])
    _, name = np.nonzero(matrix)
    values = pa.array(list(closed), pa.string()).take(pa.array(name))
    return pa.ListArray.from_arrays(pa.array(offsets), values)
