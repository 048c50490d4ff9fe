"""Alleles found among others: the kernel, and the files that it is fed from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.cohort.allele_files import AlleleFiles, match

ALLELES = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from(["A", "AC", "ACG", "é"]), st.sampled_from(["", "A", "AC"])),
    max_size=12,
)
Rows = list[tuple[int, str, str]]


def batch(rows: Rows, **columns: pa.Array) -> pa.RecordBatch:
    arrays = {
        "position": pa.array([row[0] for row in rows], pa.int32()),
        "ref": pa.array([row[1] for row in rows], pa.string()),
        "alt": pa.array([row[2] for row in rows], pa.string()),
        **columns,
    }
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))


def in_pieces(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows as a slice of a longer batch, so that offsets do not begin at 0."""
    padded = pa.concat_batches([rows.slice(0, min(1, len(rows))), rows])
    return padded.slice(min(1, len(rows)))


@given(ALLELES, ALLELES)
def test_the_kernel_finds_what_a_dictionary_finds(alleles: Rows, known: Rows) -> None:
    alleles, known = sorted(set(alleles)), sorted(set(known))
    row, other = match(in_pieces(batch(alleles)), in_pieces(batch(known)))
    place = {allele: number for number, allele in enumerate(known)}
    assert row.tolist() == [place.get(allele, -1) for allele in alleles]
    assert other.tolist() == [
        any(position == allele[0] and (position, ref, alt) != allele for position, ref, alt in known)
        for allele in alleles
    ]


def write(path: Path, rows: Rows, *, group: int, statistics: bool = True) -> str:
    names = pa.array([f"{position}{ref}{alt}" for position, ref, alt in rows], pa.string())
    table = pa.Table.from_batches([batch(rows, name=names)])
    pq.write_table(table, path, row_group_size=group, write_statistics=statistics)
    return str(path)


def alleles_of(numbers: list[int]) -> Rows:
    return [(number // 3, "A" * (1 + number % 2), "CGT"[number % 3]) for number in numbers]


@pytest.mark.parametrize("group", [1, 7, 1000])
@pytest.mark.parametrize("layout", ["one file", "two that overlap", "not sorted", "no statistics"])
def test_files_give_what_they_hold(group: int, layout: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(group)
    numbers = sorted(rng.choice(400, 150, replace=False).tolist())
    known = sorted(alleles_of(numbers))
    if layout == "two that overlap":
        parts = [known[::2], known[1::2]]
    elif layout == "not sorted":
        parts = [[*known[70:], *known[:70]]]
    else:
        parts = [known]
    paths = [
        write(tmp_path / f"{place}.parquet", part, group=group, statistics=layout != "no statistics")
        for place, part in enumerate(parts)
    ]
    files = AlleleFiles(paths, ["name"])
    asked = sorted(alleles_of(rng.choice(400, 200, replace=False).tolist()))
    found = files.find(batch(asked))
    assert found.known.tolist() == [allele in known for allele in asked]
    sites = {allele[0]: [other for other in known if other[0] == allele[0]] for allele in asked}
    assert found.other.tolist() == [any(other != allele for other in sites[allele[0]]) for allele in asked]
    names = [
        f"{position}{ref}{alt}" if (position, ref, alt) in known else None for position, ref, alt in asked
    ]
    assert found.values["name"].to_pylist() == names
    shares = [rows for share in range(3) for rows in files.rows(share, 3)]
    assert sorted(tuple(row.values())[:3] for rows in shares for row in rows.to_pylist()) == known


def test_no_file_holds_nothing() -> None:
    found = AlleleFiles([], ["name"]).find(batch([(1, "A", "C")]))
    assert not found.known.any()
    assert not found.other.any()
    assert found.values["name"].null_count == 1
