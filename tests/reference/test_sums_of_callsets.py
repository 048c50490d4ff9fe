"""Sums over callsets for any rows, against a plain restatement; and for any cut of rows into batches."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from allofus_spark.frequencies.frequency import sum_callsets, whole_positions

# contig, position, ref, alt, callset; then n_het, n_hom_alt, n_hemi_alt, an_called.
Row = tuple[str, int, str, str, str, int, int, int, int]
BASES = ("A", "C", "G", "T")

keys = st.tuples(
    st.sampled_from(("chr1", "chr10", "chrUn.1")),
    st.sampled_from((1, 2, 30)),
    st.sampled_from(("A", "AT", "N")),
    st.sampled_from((*BASES[1:], "CT", "<DEL>", "G]chr2:5]")),
    st.sampled_from(("a", "b", "c")),
)
count = st.integers(0, 500_000)
rows_in_order = st.lists(
    st.tuples(keys, st.tuples(count, count, count, count)),
    min_size=1,
    max_size=40,
    unique_by=lambda row: row[0],
).map(lambda rows: sorted((*key, *counts) for key, counts in rows))


def is_snv(row: Row) -> bool:
    return row[2] in BASES and row[3] in BASES


def plain_sums(rows: list[Row]) -> dict[tuple[str, int, str, str], list[int]]:
    """Own rows add up; for an SNV, a callset without it adds the AN of its first other SNV at the site."""
    sums: dict[tuple[str, int, str, str], list[int]] = {}
    for key, own in itertools.groupby(rows, key=lambda row: row[:4]):
        own_rows = list(own)
        total = [sum(row[5 + field] for row in own_rows) for field in range(4)]
        carriers = {row[4] for row in own_rows}
        if is_snv(own_rows[0]):
            for callset in {"a", "b", "c"} - carriers:
                others = [row for row in rows if row[:3] == key[:3] and row[4] == callset and is_snv(row)]
                total[3] += others[0][8] if others else 0
        sums[key] = total
    return sums


def as_batch(rows: list[Row]) -> pa.RecordBatch:
    names = (
        "contig",
        "position",
        "ref",
        "alt",
        "callset_id",
        "n_het",
        "n_hom_alt",
        "n_hemi_alt",
        "an_called",
    )
    return pa.RecordBatch.from_pydict(dict(zip(names, zip(*rows, strict=True), strict=True)))


def engine_sums(batch: pa.RecordBatch) -> dict[tuple[str, int, str, str], list[int]]:
    names = ("n_het", "n_hom_alt", "n_hemi_alt", "an_called")
    counts = np.array([batch.column(name).to_pylist() for name in names], np.int64).T
    # Two groups, the second with twice the counts of the first.
    first, totals = sum_callsets(batch, np.stack([counts, 2 * counts], axis=-1))
    np.testing.assert_array_equal(totals[..., 1], 2 * totals[..., 0])
    rows = batch.take(pa.array(first)).to_pylist()
    found = [(row["contig"], row["position"], row["ref"], row["alt"]) for row in rows]
    return dict(zip(found, totals[..., 0].tolist(), strict=True))


@settings(max_examples=300, deadline=None)
@given(rows=rows_in_order)
def test_sums_equal_plain_python(rows: list[Row]) -> None:
    assert engine_sums(as_batch(rows)) == plain_sums(rows)


@settings(max_examples=200, deadline=None)
@given(rows=rows_in_order, cuts=st.lists(st.integers(0, 40), max_size=12))
def test_any_cut_into_batches_gives_the_same(rows: list[Row], cuts: list[int]) -> None:
    batch = as_batch(rows)
    ends = sorted({min(cut, len(rows)) for cut in cuts} | {0, len(rows)})
    # Empty batches come too.
    pieces = [batch.slice(0, 0), *(batch.slice(a, b - a) for a, b in itertools.pairwise(ends))]
    whole = list(whole_positions(pieces))
    assert [row for piece in whole for row in piece.to_pylist()] == batch.to_pylist()
    places = [{(row["contig"], row["position"]) for row in piece.to_pylist()} for piece in whole]
    assert all(not one & other for one, other in itertools.combinations(places, 2))
    together = {key: sums for piece in whole for key, sums in engine_sums(piece).items()}
    assert together == plain_sums(rows)
