"""Look-ups find exactly the rows that a scan finds, wherever batches begin, and the cache keeps its bound."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.browser.cache import TableCache
from allofus_spark.browser.index import Sorting, _copy
from allofus_spark.browser.sorted_rows import Rows, SortedRows
from allofus_spark.errors import BadSource

_SORTING = Sorting("position", "contig")
_PLACES = st.lists(
    st.tuples(st.sampled_from(["chr1", "chr10", "chr2", "chrX"]), st.integers(1, 12)), min_size=1
)


def opened(folder: Path, files: list[Path], batch_rows: int, cache: TableCache) -> SortedRows:
    _copy(files, folder, "variants", _SORTING, batch_rows)
    return SortedRows(folder, "variants", _SORTING, cache)


def write(folder: Path, places: list[tuple[str, int]], cut: int, group_rows: int) -> list[Path]:
    """Rows in order, in two files that part at ``cut``."""
    table = pa.table({"contig": [place[0] for place in places], "position": [place[1] for place in places]})
    paths = [folder / "part-0.parquet", folder / "part-1.parquet"]
    for path, part in zip(paths, (table.slice(0, cut), table.slice(cut)), strict=True):
        pq.write_table(part, path, row_group_size=group_rows)
    return paths


@given(_PLACES, st.integers(0, 20), st.integers(1, 5), st.integers(1, 5), st.data())
def test_rows_found_are_those_of_a_scan(
    places: list[tuple[str, int]], cut: int, batch_rows: int, group_rows: int, data: st.DataObject
) -> None:
    # Contigs may follow each other in any order, as a build has them or by their names.
    order = data.draw(st.permutations(["chr1", "chr10", "chr2", "chrX"]))
    places = sorted(places, key=lambda place: (order.index(place[0]), place[1]))
    low, high = sorted((data.draw(st.integers(0, 14)), data.draw(st.integers(0, 14))))
    contig = data.draw(st.sampled_from(["chr1", "chr10", "chr2", "chrX", "chr3"]))
    with tempfile.TemporaryDirectory() as name:
        rows = opened(Path(name), write(Path(name), places, cut, group_rows), batch_rows, TableCache(10**6))
        found = rows.find(low, high, contig)
        expected = [place for place in places if place[0] == contig and low <= place[1] <= high]
        assert len(found) == len(expected)
        read = rows.read(found)
        assert list(zip(read["contig"].to_pylist(), read["position"].to_pylist(), strict=True)) == expected
        assert rows.num_rows == len(places)
        everything = rows.read(Rows(0, len(places)))
        assert everything["position"].to_pylist() == [place[1] for place in places]


@pytest.mark.parametrize(
    "places",
    [
        [("chr1", 5), ("chr1", 4)],
        [("chr1", 1), ("chr1", 2), ("chr1", 1)],
        [("chr1", 1), ("chr2", 1), ("chr1", 2)],
    ],
)
def test_rows_out_of_order_are_refused(tmp_path: Path, places: list[tuple[str, int]]) -> None:
    with pytest.raises(BadSource, match="not sorted near chr1"):
        opened(tmp_path, write(tmp_path, places, 1, 10), 2, TableCache(10**6))


def test_the_cache_holds_no_more_than_its_bound_and_gives_what_was_put_in(tmp_path: Path) -> None:
    places = [("chr1", position) for position in range(5_000)]
    cache = TableCache(6_000)
    rows = opened(tmp_path, write(tmp_path, places, 2_500, 1_000), 100, cache)
    rng = np.random.default_rng(1)
    for position in rng.integers(0, 5_000, 500).tolist():
        assert rows.read(rows.find(position, position, "chr1"))["position"].to_pylist() == [position]
        assert 0 < cache.nbytes <= 6_000


def test_a_table_over_the_bound_is_read_and_not_kept(tmp_path: Path) -> None:
    cache = TableCache(10)
    rows = opened(tmp_path, write(tmp_path, [("chr1", 5)], 1, 1), 10, cache)
    assert len(rows.read(rows.find(5, 5, "chr1"))) == 1
    assert cache.nbytes == 0
