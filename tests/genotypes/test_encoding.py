"""The call encoding: round trips of any calls, the columns as documented, and PLINK 2's bytes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allofus_spark.genotypes import (
    CallBatch,
    choose_sparse,
    count_by_stratum,
    decode,
    encode,
    pack,
    packed_width,
    unpack,
)

Calls = npt.NDArray[np.int8]


@st.composite
def any_calls(draw: st.DrawFn, max_samples: int = 400) -> Calls:
    """Calls int8[rows, n]; rows from all reference to nothing but carriers, so that both encodings occur."""
    n_rows, n_samples = draw(st.integers(1, 8)), draw(st.integers(1, max_samples))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    carried = draw(st.lists(st.sampled_from((0.0, 0.005, 0.03, 0.3, 1.0)), min_size=n_rows, max_size=n_rows))
    calls = rng.integers(1, 4, (n_rows, n_samples), np.int8)
    return np.where(rng.random(calls.shape) < np.array(carried)[:, None], calls, 0).astype(np.int8)


def as_batch(calls: Calls) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(encode(pack(calls), calls.shape[1]))


def by_hand(row: dict[str, object], n_samples: int) -> list[int]:
    """A row's calls as a reader of the table's comments would work them out."""
    if row["encoding"] == "dense":
        packed = row["calls"]
        assert isinstance(packed, bytes)
        return [packed[sample // 4] >> (2 * (sample % 4)) & 3 for sample in range(n_samples)]
    calls = [0] * n_samples
    for name, call in (("het_index", 1), ("hom_alt_index", 2), ("missing_index", 3)):
        indices = row[name]
        assert isinstance(indices, list)
        assert indices == sorted(set(indices))
        for sample in indices:
            assert calls[sample] == 0
            calls[sample] = call
    return calls


@settings(max_examples=200, deadline=None)
@given(calls=any_calls())
def test_round_trip(calls: Calls) -> None:
    n_samples = calls.shape[1]
    packed = pack(calls)
    assert packed.shape == (len(calls), -(-n_samples // 4))
    np.testing.assert_array_equal(unpack(packed, n_samples), calls)
    batch = as_batch(calls)
    np.testing.assert_array_equal(decode(batch, n_samples).to_packed(), packed)
    assert [by_hand(row, n_samples) for row in batch.to_pylist()] == calls.tolist()


@settings(max_examples=100, deadline=None)
@given(calls=any_calls(), data=st.data())
def test_round_trip_of_a_slice(calls: Calls, data: st.DataObject) -> None:
    """Arrow slices share the buffers of the whole; rows must not shift."""
    first = data.draw(st.integers(0, len(calls)))
    n_rows = data.draw(st.integers(0, len(calls) - first))
    part = decode(as_batch(calls).slice(first, n_rows), calls.shape[1])
    np.testing.assert_array_equal(part.to_packed(), pack(calls[first : first + n_rows]))


@settings(max_examples=100, deadline=None)
@given(calls=any_calls())
def test_the_smaller_encoding_is_taken(calls: Calls) -> None:
    n_samples = calls.shape[1]
    n_stored = (calls != 0).sum(axis=1)
    for row, stored in zip(as_batch(calls).to_pylist(), n_stored, strict=True):
        sparse = 4 * int(stored) + 12 < -(-n_samples // 4)
        assert row["encoding"] == ("sparse" if sparse else "dense")
        assert (row["calls"] is None) == sparse
        assert all((row[name] is None) != sparse for name in ("het_index", "hom_alt_index", "missing_index"))
    np.testing.assert_array_equal(
        choose_sparse(n_stored, n_samples), 4 * n_stored + 12 < packed_width(n_samples)
    )


def forced(calls: Calls, *, dense: bool) -> CallBatch:
    """The same calls, all rows in one encoding, built without ``encode``."""
    n_rows, n_samples = calls.shape
    lists = [
        pa.array([np.flatnonzero(row == call).tolist() for row in calls], pa.list_(pa.int32()))
        for call in (1, 2, 3)
    ]
    none = pa.nulls(n_rows, pa.list_(pa.int32()))
    payload = [row.tobytes() if dense else None for row in pack(calls)]
    columns = [none] * 3 if dense else lists
    names = ("het_index", "hom_alt_index", "missing_index")
    batch = pa.RecordBatch.from_pydict(
        {**dict(zip(names, columns, strict=True)), "calls": pa.array(payload, pa.binary())}
    )
    return decode(batch, n_samples)


@settings(max_examples=100, deadline=None)
@given(calls=any_calls(max_samples=60), n_strata=st.integers(1, 6), seed=st.integers(0, 2**32 - 1))
def test_dense_and_sparse_count_the_same(calls: Calls, n_strata: int, seed: int) -> None:
    stratum = np.random.default_rng(seed).integers(0, n_strata, calls.shape[1], np.int32)
    plain = np.zeros((len(calls), n_strata, 4), np.int32)
    for row, sample in np.argwhere(calls != 0):
        plain[row, stratum[sample], calls[row, sample]] += 1
    for batch in (
        forced(calls, dense=True),
        forced(calls, dense=False),
        decode(as_batch(calls), calls.shape[1]),
    ):
        np.testing.assert_array_equal(count_by_stratum(batch, stratum, n_strata), plain)


def test_calls_of_another_length_are_refused() -> None:
    batch = as_batch(np.ones((2, 9), np.int8))
    with pytest.raises(ValueError, match="not 2 bytes long, as 8 samples need"):
        decode(batch, 8)
    with pytest.raises(ValueError, match="9 samples need 3"):
        encode(np.zeros((1, 2), np.uint8), 9)
    with pytest.raises(ValueError, match="8 strata for 9 samples"):
        count_by_stratum(decode(batch, 9), np.zeros(8, np.int32), 1)


@pytest.mark.parametrize("n_samples", [1, 3, 4, 5, 64, 131])
def test_packed_calls_are_the_bytes_of_a_pgen(
    n_samples: int, oracle: Callable[[str], str], tmp_path: Path
) -> None:
    """PLINK 2's fixed-width hard-call file (storage mode 2) is a header of 12 bytes and the packed rows."""
    rng = np.random.default_rng(n_samples)
    calls = rng.integers(0, 4, (30, n_samples)).astype(np.int8)
    vcf, out = tmp_path / "in.vcf", tmp_path / "out"
    with vcf.open("w") as file:
        file.write(
            "##fileformat=VCFv4.2\n##contig=<ID=1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"
        )
        file.writelines(f"\tS{sample}" for sample in range(n_samples))
        for position, row in enumerate(calls, 1):
            gts = "\t".join(("0/0", "0/1", "1/1", "./.")[call] for call in row)
            file.write(f"\n1\t{position}\t.\tA\tC\t.\t.\t.\tGT\t{gts}")
        file.write("\n")
    command = [oracle("plink2"), "--vcf", str(vcf), "--make-pgen", "format=2", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    written = out.with_suffix(".pgen").read_bytes()
    assert written[:3] == b"\x6c\x1b\x02"
    assert written[12:] == pack(calls).tobytes()


@pytest.mark.parametrize("n_samples", [0, 1, 9])
def test_no_rows_and_no_samples(n_samples: int) -> None:
    """A batch whose records were all refused, and a file without samples."""
    empty = np.zeros((0, n_samples), np.int8)
    assert pack(empty).shape == (0, -(-n_samples // 4))
    assert unpack(pack(empty), n_samples).shape == (0, n_samples)
    assert decode(as_batch(empty), n_samples).to_packed().shape == (0, -(-n_samples // 4))
    no_samples = as_batch(np.zeros((2, 0), np.int8))
    assert decode(no_samples, 0).to_packed().shape == (2, 0)
