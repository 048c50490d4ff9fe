"""A few of many, evenly spaced."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def evenly_spaced(n: int, most: int) -> npt.NDArray[np.int64]:
    """int64: at most ``most`` places among ``n``, rising; all of them where these are no more.

    >>> evenly_spaced(10, 4).tolist(), evenly_spaced(3, 4).tolist(), evenly_spaced(0, 4).tolist()
    ([0, 2, 5, 7], [0, 1, 2], [])
    """
    n_taken = min(n, most)
    return np.arange(n_taken, dtype=np.int64) * n // max(n_taken, 1)
