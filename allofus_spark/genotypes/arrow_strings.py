"""Pieces of a byte buffer as Arrow strings."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allofus_spark.errors import BadSource
from allofus_spark.genotypes.byte_ranges import Bytes


@numba.njit(cache=True, nogil=True)
def _gather(data, slices):  # type: ignore[no-untyped-def]
    """Copy slices int64[n, 2] of ``data`` end to end: (uint8 bytes, int32[n + 1] offsets)."""
    n = len(slices)
    offsets = np.zeros(n + 1, np.int32)
    for index in range(n):
        offsets[index + 1] = offsets[index] + slices[index, 1] - slices[index, 0]
    copied = np.empty(offsets[n], np.uint8)
    for index in range(n):
        copied[offsets[index] : offsets[index + 1]] = data[slices[index, 0] : slices[index, 1]]
    return copied, offsets


def binary_at(data: Bytes, slices: npt.NDArray[np.int64]) -> pa.BinaryArray:
    """The slices int64[n, 2] of ``data`` as byte strings."""
    copied, offsets = _gather(data, slices)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(copied)]
    return pa.Array.from_buffers(pa.binary(), len(slices), buffers)


def strings_at(data: Bytes, slices: npt.NDArray[np.int64], path: str) -> pa.StringArray:
    """The slices int64[n, 2] of ``data`` as strings; BadSource where one is not UTF-8."""
    try:
        return binary_at(data, slices).cast(pa.string())
    except pa.ArrowInvalid as error:
        raise BadSource(f"{path}: is not UTF-8 text: {error}") from None
