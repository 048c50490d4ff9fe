"""Masked slots are hom-ref, nobody else's call changes, and a row goes where its last carrier does."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from allofus_spark.genotypes import decode, encode, pack, unpack
from allofus_spark.genotypes.masking import has_alt, mask_rows, mask_slots

CALLS = st.sampled_from([0, 0, 0, 1, 2, 3])
calls_and_slots = st.integers(1, 90).flatmap(
    lambda n: st.tuples(
        arrays(np.int8, st.tuples(st.integers(0, 6), st.just(n)), elements=CALLS),
        st.lists(st.integers(0, n - 1), unique=True).map(sorted),
    )
)


@given(calls_and_slots)
def test_masks_slots_alone(given_: tuple[np.ndarray, list[int]]) -> None:
    calls, slots = given_
    n = calls.shape[1]
    masked, stays = mask_slots(pack(calls), slots)
    expected = calls.copy()
    expected[:, slots] = 0
    assert (unpack(masked, n) == expected).all()
    for row, kept in zip(calls, stays, strict=True):
        carriers = {place for place in range(n) if row[place] in (1, 2)}
        assert kept == (not carriers & set(slots) or bool(carriers - set(slots)))


@given(calls_and_slots)
def test_rows_are_stored_as_if_they_had_come_so(given_: tuple[np.ndarray, list[int]]) -> None:
    calls, slots = given_
    n = calls.shape[1]
    positions = pa.array(np.arange(len(calls)))
    rows, stays = mask_rows(
        pa.RecordBatch.from_pydict({"position": positions, **encode(pack(calls), n)}), n, slots
    )
    expected = calls[stays].copy()
    expected[:, slots] = 0
    assert rows.column("position").to_pylist() == np.flatnonzero(stays).tolist()
    assert (unpack(decode(rows, n).to_packed(), n) == expected).all()
    again = encode(pack(expected), n)
    assert all(rows.column(name).equals(column) for name, column in again.items())


def test_a_missing_call_is_no_carrier() -> None:
    calls = np.array([[3, 0, 0], [3, 0, 1], [2, 0, 0], [0, 0, 0]], np.int8)
    assert has_alt(pack(calls)).tolist() == [False, True, True, False]
    assert mask_slots(pack(calls), [0])[1].tolist() == [True, True, False, True]
