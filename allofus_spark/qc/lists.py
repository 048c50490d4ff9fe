"""Lists of reasons as Arrow columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allofus_spark.arrow import flagged_names


def list_column(holds: Mapping[str, npt.NDArray[np.bool_]], closed: Collection[str]) -> pa.Array:
    """list<string>[rows] of the names that hold for each row, in the order of the closed list.

    Raises ValueError where the names are not those of the list.
    """
    if set(holds) != set(closed):
        raise ValueError(f"names {sorted(holds)} are not those of the closed list {sorted(closed)}")
    return flagged_names(np.stack([holds[name] for name in closed], axis=1), closed)
