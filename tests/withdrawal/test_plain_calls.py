"""The proof's own reading of calls and its recount, against made-up calls and the engine's counts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from allofus_spark.arrow import matrix_of
from allofus_spark.cohort import COUNTS, Sample, Slot, build_strata
from allofus_spark.frequencies.counts import KEY, Counting
from allofus_spark.genome import load_build
from allofus_spark.genotypes import encode, pack
from allofus_spark.withdrawal.plain_calls import not_hom_ref, plain_calls, recount

N = 70
GROUPS = ("afr", "eur")
PLACES = (("chr1", 5_000), ("chrX", 5_000_000), ("chrY", 5_000_000), ("chrM", 50), ("chr2", 7))
calls_of_all = arrays(np.int8, (len(PLACES), N), elements=st.sampled_from([0, 0, 0, 0, 1, 2, 3]))


def rows_of(calls: np.ndarray) -> pa.RecordBatch:
    contigs, positions = zip(*PLACES, strict=True)
    n = len(PLACES)
    key = {
        "callset_id": ["c"] * n,
        "contig": list(contigs),
        "bin": pa.array([0] * n, pa.int32()),
        "position": pa.array(positions, pa.int32()),
        "ref": ["A"] * n,
        "alt": ["T"] * n,
    }
    return pa.RecordBatch.from_pydict({**key, **encode(pack(calls), N)})


@given(calls_of_all, st.sets(st.integers(0, N - 1), min_size=1))
def test_reads_what_was_stored(calls: np.ndarray, slots: set[int]) -> None:
    rows = rows_of(calls)
    assert (plain_calls(rows, N) == calls).all()
    assert not_hom_ref(rows, N, sorted(slots)) == sum(any(row[list(slots)]) for row in calls)


@given(calls_of_all, st.lists(st.sampled_from(["XX", "XY", None, "gone"]), min_size=N, max_size=N))
def test_recount_is_the_ledger(calls: np.ndarray, sexes: list[str | None]) -> None:
    slots: list[Slot] = [
        None if sex == "gone" else Sample(f"S{place}", (*GROUPS, None)[place % 3], sex)
        for place, sex in enumerate(sexes)
    ]
    strata, build = build_strata("c", slots, GROUPS), load_build("GRCh38")
    rows = rows_of(calls)
    (counted,) = Counting({"c": strata}, build)([rows])
    again = recount(rows, strata, build)
    assert counted.schema.names[: len(KEY)] == list(KEY)
    for name in COUNTS:
        assert (matrix_of(counted.column(name)) == again[name]).all(), name


def test_the_masked_count_nowhere() -> None:
    slots: list[Slot] = [Sample("S0", "afr", "XX"), None, Sample("S2", None, None)]
    strata = build_strata("c", slots, GROUPS)
    assert strata.of_sample.tolist() == [0, 2, 1]
    assert strata.sizes.tolist() == [1, 1]
