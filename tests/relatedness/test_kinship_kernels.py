"""Counts of pairs from planes of bits against plain NumPy, and the tasks over batches cut anyhow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allofus_spark.genotypes import encode, pack
from allofus_spark.genotypes.kinship import CHUNK_SITES, PairCounts, chunk_planes, no_calls
from allofus_spark.relatedness.king import KingRobust
from allofus_spark.relatedness.people import People
from allofus_spark.relatedness.slices import SliceCalls

from .cohorts import Calls, plain_pair


def some_calls(seed: int, n_sites: int, n_samples: int, missing: float) -> Calls:
    shares = [0.5 * (1 - missing), 0.35 * (1 - missing), 0.15 * (1 - missing), missing]
    return np.random.default_rng(seed).choice(4, size=(n_sites, n_samples), p=shares).astype(np.int8)


def chunk_of(calls: Calls) -> np.ndarray:
    chunk = no_calls(calls.shape[1])
    chunk[: len(calls)] = pack(calls)
    return chunk


@pytest.mark.parametrize("missing", [0.0, 0.001, 0.3, 1.0])
@pytest.mark.parametrize(("n_first", "n_second"), [(1, 1), (3, 66), (17, 5), (4, 64)])
def test_counts_are_those_of_each_pair(missing: float, n_first: int, n_second: int) -> None:
    sites = [CHUNK_SITES, 1, 100]
    both = [some_calls(seed, n, n_first + n_second, missing) for seed, n in enumerate(sites)]
    counts = PairCounts(n_first, n_second, is_within=False)
    for calls in both:
        first, second = calls[:, :n_first], calls[:, n_first:]
        planes = (chunk_planes(chunk_of(own), own.shape[1]) for own in (first, second))
        counts.add(*planes, len(calls))
    found = counts.relatives(-np.inf)
    calls = np.concatenate(both)
    expected = {
        (i, j): plain_pair(calls[:, i], calls[:, n_first + j])
        for i in range(n_first)
        for j in range(n_second)
    }
    expected = {pair: values for pair, values in expected.items() if not np.isnan(values["kinship"])}
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == list(expected)
    for place, values in enumerate(expected.values()):
        assert [column[place] for column in found[3:]] == [
            values[name] for name in ("n_sites", "n_het_1", "n_het_2", "n_het_both", "n_ibs0")
        ]
        assert found.kinship[place] == values["kinship"]
    assert counts.n_called_first.tolist() == (calls[:, :n_first] < 3).sum(axis=0).tolist()


def test_pairs_within_a_block_come_once_and_nobody_is_their_own_relative() -> None:
    calls = some_calls(1, 500, 40, 0.02)
    planes = chunk_planes(chunk_of(calls), 40)
    counts = PairCounts(40, 40, is_within=True)
    counts.add(planes, planes, 500)
    found = counts.relatives(-np.inf)
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == [
        (i, j) for i in range(40) for j in range(i + 1, 40)
    ]


def test_one_without_heterozygotes_has_no_relatives() -> None:
    calls = np.array([[0, 1], [2, 1], [2, 1]], np.int8)
    planes = chunk_planes(chunk_of(calls), 2)
    counts = PairCounts(2, 2, is_within=True)
    counts.add(planes, planes, 3)
    assert len(counts.relatives(-np.inf).first) == 0


def batch_of_calls(callset_id: str, sites: np.ndarray, calls: Calls) -> pa.RecordBatch:
    columns = encode(pack(calls), calls.shape[1])
    names = ("het_index", "hom_alt_index", "missing_index", "calls")
    arrays = [pa.repeat(callset_id, len(sites)), pa.array(sites, pa.int32())]
    arrays += [columns[name] for name in names]
    return pa.RecordBatch.from_arrays(arrays, names=["callset_id", "site", *names])


def shuffled_to_pairs(batches: list[pa.RecordBatch], rows_a_batch: int) -> Iterator[list[pa.RecordBatch]]:
    """What Spark does between the two: rows for each pair of blocks, by pair and chunk."""
    rows = [row for batch in batches for row in batch.to_pylist()]
    paired = [
        {**row, "first": min(row["block"], other), "second": max(row["block"], other), "key": key}
        for row in rows
        for other, key in enumerate(row["keys"])
    ]
    for key in sorted({row["key"] for row in paired}):
        own = [row for row in paired if row["key"] == key]
        own.sort(key=lambda row: (row["first"], row["second"], row["chunk"]))
        parts = (own[start : start + rows_a_batch] for start in range(0, len(own), rows_a_batch))
        yield [pa.RecordBatch.from_pylist(part) for part in parts]


@settings(max_examples=25)
@given(
    seed=st.integers(0, 1000),
    sizes=st.lists(st.integers(1, 19), min_size=1, max_size=3),
    cuts=st.integers(1, 700),
    rows_a_batch=st.integers(1, 7),
)
def test_tasks_give_the_same_however_calls_are_cut(
    seed: int, sizes: list[int], cuts: int, rows_a_batch: int
) -> None:
    """Callsets lack sites and leave out samples; batches end anywhere, unsorted, over two chunks."""
    rng = np.random.default_rng(seed)
    n_sites = CHUNK_SITES + 700
    members, batches, kept = {}, [], []
    for number, size in enumerate(sizes):
        sites = np.flatnonzero(rng.random(n_sites) < rng.choice([0.02, 0.2]))
        calls = some_calls(seed + number, len(sites), size, 0.05)
        members[f"c{number}"] = np.flatnonzero(rng.random(size) < 0.8) if size > 1 else np.arange(size)
        if not len(members[f"c{number}"]):
            members[f"c{number}"] = np.arange(1)
        own = np.full((n_sites, len(members[f"c{number}"])), 3, np.int8)
        own[sites] = calls[:, members[f"c{number}"]]
        kept.append(own)
        order = rng.permutation(len(sites))
        batches += [
            batch_of_calls(f"c{number}", sites[part], calls[part])
            for part in np.split(order, range(cuts, len(order), cuts))
            if len(part)
        ]
    calls = np.concatenate(kept, axis=1)
    n = calls.shape[1]
    people = People(members, {f"c{i}": size for i, size in enumerate(sizes)}, [f"s{i}" for i in range(n)])
    blocks = people.blocks(8)
    slices = list(SliceCalls(people, blocks, np.arange(len(blocks) * (len(blocks) + 1) // 2))(batches))
    task = KingRobust(blocks, n_sites, -1e9)
    rows = [
        row
        for given_rows in shuffled_to_pairs(slices, rows_a_batch)
        for batch in task(given_rows)
        for row in batch.to_pylist()
    ]
    called = {row["first"]: row["n_sites"] for row in rows if row["second"] is None}
    assert {place: called.get(place, 0) for place in range(n)} == dict(enumerate((calls < 3).sum(axis=0)))
    found = {(row["first"], row["second"]): row for row in rows if row["second"] is not None}
    expected = {(i, j): plain_pair(calls[:, i], calls[:, j]) for i in range(n) for j in range(i + 1, n)}
    expected = {pair: values for pair, values in expected.items() if not np.isnan(values["kinship"])}
    assert found.keys() == expected.keys()
    for pair, values in expected.items():
        row = found[pair]
        named = {"n_het_1": "n_het_first", "n_het_2": "n_het_second"}
        assert {name: row[named.get(name, name)] for name in values} == values
