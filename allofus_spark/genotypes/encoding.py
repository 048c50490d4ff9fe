"""Packed hard calls: the two encodings of a call vector, and their way into and out of Arrow.

A call is 0 hom-ref, 1 het, 2 hom-alt or 3 missing, relative to one alternate allele. *Packed* is 2 bits a
sample, the first sample in the low bits of the first byte, pad bits zero: ``uint8[ceil(n / 4)]``, the
hard-call record of PLINK 2. A row is stored *dense* (packed) or *sparse* (three sorted arrays of sample
indices), whichever is smaller; most variants are rare, so most rows are sparse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.settings import max_rows_per_batch

HOM_REF, HET, HOM_ALT, MISSING = 0, 1, 2, 3
DENSE, SPARSE = "dense", "sparse"
SPARSE_OVERHEAD_BYTES = 12  # three lengths of four bytes
_MOST_ROWS = 10_000  # in a batch of narrow rows, whose keys and lists take room too

Packed = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.int32]
Lists = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]
"""Offsets int32[rows + 1] and values of lists."""


def packed_width(n_samples: int) -> int:
    """Bytes of a packed row."""
    return (n_samples + 3) // 4


@numba.njit(cache=True, nogil=True)
def _count_calls(packed: Packed) -> Counts:
    """int32[rows, 4]: hom-ref is left at zero, pad bits count as hom-ref."""
    rows, width = packed.shape
    counts = np.zeros((rows, 4), np.int32)
    for row in range(rows):
        for byte in range(width):
            value = packed[row, byte]
            if value == 0:
                continue
            for shift in range(0, 8, 2):
                counts[row, (value >> shift) & 3] += 1
        counts[row, 0] = 0
    return counts


@numba.njit(cache=True, nogil=True)
def _fill_indices(packed, sparse, het, hom_alt, missing):  # type: ignore[no-untyped-def]
    """Write the sample indices of the rows marked sparse, one row after the other."""
    at_het = at_hom = at_missing = 0
    for row in range(packed.shape[0]):
        if not sparse[row]:
            continue
        for byte in range(packed.shape[1]):
            value = packed[row, byte]
            if value == 0:
                continue
            for place in range(4):
                call = (value >> (2 * place)) & 3
                if call == 1:
                    het[at_het] = 4 * byte + place
                    at_het += 1
                elif call == 2:
                    hom_alt[at_hom] = 4 * byte + place
                    at_hom += 1
                elif call == 3:
                    missing[at_missing] = 4 * byte + place
                    at_missing += 1


@numba.njit(cache=True, nogil=True)
def _set_calls(packed, offsets, indices, call):  # type: ignore[no-untyped-def]
    """Set ``call`` at the indices of each row; offsets int32[rows + 1]."""
    for row in range(packed.shape[0]):
        for at in range(offsets[row], offsets[row + 1]):
            sample = indices[at]
            packed[row, sample >> 2] |= call << ((sample & 3) * 2)


def rows_that_fit(n_samples: int, batch_bytes: int) -> int:
    """Genotype rows in an Arrow batch of ``batch_bytes``: no stored row takes more than the packed one."""
    return min(_MOST_ROWS, max_rows_per_batch(packed_width(n_samples), 1, batch_bytes))


def pack(calls: npt.NDArray[np.integer]) -> Packed:
    """Pack ``calls[rows, n]`` of 0 to 3 into ``uint8[rows, ceil(n / 4)]``."""
    rows, n_samples = calls.shape
    padded = np.zeros((rows, 4 * packed_width(n_samples)), np.uint8)
    padded[:, :n_samples] = calls
    quads = padded.reshape(rows, packed_width(n_samples), 4)
    return np.asarray(
        quads[..., 0] | (quads[..., 1] << 2) | (quads[..., 2] << 4) | (quads[..., 3] << 6), np.uint8
    )


def unpack(packed: Packed, n_samples: int) -> npt.NDArray[np.int8]:
    """Calls ``int8[rows, n]`` of 0 to 3 of packed rows."""
    quads = np.stack([(packed >> shift) & 3 for shift in (0, 2, 4, 6)], axis=-1)
    return quads.reshape(len(packed), 4 * packed.shape[1])[:, :n_samples].astype(np.int8)


def choose_sparse(n_stored: npt.NDArray[np.integer], n_samples: int) -> npt.NDArray[np.bool_]:
    """Rows whose index arrays (``n_stored`` indices in all) take fewer bytes than the packed row."""
    return 4 * n_stored + SPARSE_OVERHEAD_BYTES < packed_width(n_samples)


def encode(packed: Packed, n_samples: int) -> dict[str, pa.Array]:
    """The genotype columns of a batch of packed rows; each row takes the smaller encoding."""
    rows, width = packed.shape
    if width != packed_width(n_samples):
        raise ValueError(
            f"packed rows have {width} bytes, {n_samples} samples need {packed_width(n_samples)}"
        )
    sparse, lists = _sparse_lists(packed, n_samples)
    columns: dict[str, pa.Array] = {
        "n_samples": pa.array(np.full(rows, n_samples, np.int32)),
        "encoding": pa.DictionaryArray.from_arrays(
            pa.array(sparse.astype(np.int8)), pa.array([DENSE, SPARSE])
        ).cast(pa.string()),
    }
    absent = pa.array(~sparse)
    for name, (offsets, indices) in zip(("het_index", "hom_alt_index", "missing_index"), lists, strict=True):
        columns[name] = pa.ListArray.from_arrays(pa.array(offsets), pa.array(indices), mask=absent)
    columns["calls"] = _dense_column(packed, ~sparse)
    return columns


def _sparse_lists(packed: Packed, n_samples: int) -> tuple[npt.NDArray[np.bool_], list[Lists]]:
    """Which rows take the sparse encoding, and their het, hom-alt and missing indices (dense rows: none)."""
    counts = _count_calls(packed)
    sparse = choose_sparse(counts.sum(axis=1), n_samples) if n_samples else np.ones(len(packed), np.bool_)
    stored = np.where(sparse[:, None], counts, 0)
    lists = []
    for call in (HET, HOM_ALT, MISSING):
        offsets = np.zeros(len(packed) + 1, np.int32)
        np.cumsum(stored[:, call], out=offsets[1:])
        lists.append((offsets, np.empty(int(offsets[-1]), np.int32)))
    _fill_indices(packed, sparse, *(indices for _, indices in lists))
    return sparse, lists


def _dense_column(packed: Packed, dense: npt.NDArray[np.bool_]) -> pa.Array:
    """binary[rows]: the packed row where ``dense``, null elsewhere."""
    offsets = np.zeros(len(packed) + 1, np.int32)
    np.cumsum(dense * packed.shape[1], out=offsets[1:])
    payload = np.ascontiguousarray(packed[dense])
    validity = pa.py_buffer(np.packbits(dense, bitorder="little"))
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(payload)]
    return pa.Array.from_buffers(pa.binary(), len(packed), buffers)


@dataclass(frozen=True)
class CallBatch:
    """Genotype rows of one callset as arrays that kernels read in place.

    ``dense_rows`` are the rows of ``packed``; the index arrays cover all rows (empty for dense ones).
    """

    n_rows: int
    n_samples: int
    dense_rows: npt.NDArray[np.int64]
    packed: Packed
    het: Lists
    hom_alt: Lists
    missing: Lists

    @classmethod
    def of_packed(cls, packed: Packed, n_samples: int) -> CallBatch:
        """Packed rows, ``uint8[rows, ceil(n / 4)]``, each in the encoding that it would be stored in."""
        sparse, (het, hom_alt, missing) = _sparse_lists(packed, n_samples)
        return cls(len(packed), n_samples, np.flatnonzero(~sparse), packed[~sparse], het, hom_alt, missing)

    def to_packed(self) -> Packed:
        """All rows packed, ``uint8[n_rows, ceil(n / 4)]``."""
        packed = np.zeros((self.n_rows, packed_width(self.n_samples)), np.uint8)
        packed[self.dense_rows] = self.packed
        for (offsets, indices), call in ((self.het, HET), (self.hom_alt, HOM_ALT), (self.missing, MISSING)):
            _set_calls(packed, offsets, indices, np.uint8(call))
        return packed


def _lists(column: pa.Array) -> Lists:
    """A list column; a null row has no values."""
    lengths = np.asarray(column.value_lengths().fill_null(0), np.int32)
    offsets = np.zeros(len(column) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return offsets, np.asarray(column.flatten(), np.int32)


def decode(batch: pa.RecordBatch, n_samples: int) -> CallBatch:
    """Arrays of a batch with the genotype columns; raises ValueError where a row is not of ``n_samples``."""
    width = packed_width(n_samples)
    calls = batch.column("calls")
    dense_rows = np.flatnonzero(np.asarray(calls.is_valid()))
    calls = calls.drop_null() if calls.null_count else calls
    if pc.any(pc.not_equal(pc.binary_length(calls), width)).as_py():
        raise ValueError(f"dense calls are not {width} bytes long, as {n_samples} samples need")
    packed = np.zeros((0, width), np.uint8)
    if len(calls):
        first = np.frombuffer(calls.buffers()[1], np.int32)[calls.offset]
        data = np.frombuffer(calls.buffers()[2], np.uint8)
        packed = data[first : first + len(calls) * width].reshape(-1, width)
    het, hom_alt, missing = (
        _lists(batch.column(name)) for name in ("het_index", "hom_alt_index", "missing_index")
    )
    return CallBatch(batch.num_rows, n_samples, dense_rows, packed, het, hom_alt, missing)
