"""Data files that tasks write: partitions, order, statistics, and what the contract refuses."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.errors import ContractViolation, SettingsError
from allofus_spark.tables.data_files import DataFile, FileLayout, FileSink
from allofus_spark.tables.leftovers import keep_only

SCHEMA = pa.schema(
    [
        pa.field("contig", pa.string(), nullable=False),
        pa.field("position", pa.int32(), nullable=False),
        pa.field("alt", pa.string()),
        pa.field("calls", pa.binary()),
    ]
)
Row = tuple[str | None, int | None, str | None, bytes | None]


def layout_of(folder: Path, target_bytes: int = 1 << 20) -> FileLayout:
    return FileLayout(
        table="toys",
        folder=str(folder),
        schema=SCHEMA,
        partition_by=("contig",),
        order=("contig", "position", "alt"),
        statistics=("position", "alt"),
        checks={"position_positive": "position >= 1", "alt_is_known": "alt <> 'N'"},
        target_bytes=target_bytes,
    )


def batch_of(rows: list[Row]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True) if rows else ([] for _ in SCHEMA)
    arrays = [pa.array(list(column), item.type) for column, item in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=SCHEMA.names)


def written(layout: FileLayout, *batches: list[Row]) -> list[DataFile]:
    def files() -> Iterator[DataFile]:
        sink = FileSink(layout)
        for rows in batches:
            yield from sink.add(batch_of(rows))
        yield from sink.finish()

    return list(files())


def content(folder: Path, file: DataFile) -> tuple[str, list[tuple[int, str, bytes]]]:
    """(partition, rows in file order)."""
    action = json.loads(file.action)["add"]
    rows = pq.read_table(folder / action["path"]).to_pylist()
    return action["partitionValues"]["contig"], [tuple(row.values()) for row in rows]


def test_each_partition_has_its_file_sorted_with_statistics(tmp_path: Path) -> None:
    rows: list[Row] = [("1", 5, "T", None), ("2", 9, "C", b"x"), ("1", 5, "A", b"y"), ("1", 2, "A", b"z")]
    files = written(layout_of(tmp_path), rows, [("1", 7, "A" * 40, b"w")])
    held = [content(tmp_path, file) for file in files]
    # Partition 1 comes again after partition 2, and gets a second file.
    assert sorted(held) == [
        ("1", [(2, "A", b"z"), (5, "A", b"y"), (5, "T", None)]),
        ("1", [(7, "A" * 40, b"w")]),
        ("2", [(9, "C", b"x")]),
    ]
    assert sum(file.rows for file in files) == 5
    action = json.loads(files[-1].action)["add"]
    assert action["size"] == (tmp_path / action["path"]).stat().st_size
    assert json.loads(action["stats"]) == {
        "numRecords": 1,
        "minValues": {"position": 7, "alt": "A" * 32},
        "maxValues": {"position": 7, "alt": "A" * 32 + "\U0010ffff"},
        "nullCount": {"position": 0, "alt": 0},
    }


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from("12"),
                st.integers(1, 9),
                st.sampled_from(["A", "C", "AT"]),
                st.one_of(st.none(), st.binary(max_size=9)),
            ),
            max_size=6,
        ),
        max_size=6,
    ),
    st.integers(1, 200),
)
def test_no_row_is_lost_whatever_the_batches_and_sizes(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Row]], target_bytes: int
) -> None:
    folder = tmp_path_factory.mktemp("files")
    files = [content(folder, file) for file in written(layout_of(folder, target_bytes), *batches)]
    rows = [(contig, *row) for contig, held in files for row in held]
    assert sorted(rows, key=repr) == sorted((row for batch in batches for row in batch), key=repr)
    for _, held in files:
        keys = [row[:2] for row in held]
        assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("1", None, "A", None)], "column position must not be null, but is in 1 rows"),
        ([("1", 1, "A", None), ("1", 0, "A", None)], r"1 rows fail the check position_positive \(position"),
        ([("1", 1, None, None), ("1", 2, "N", None)], "2 rows fail the check alt_is_known"),
        ([("1", 1, "A", None), ("", 2, "A", None)], "column contig must not be empty text"),
    ],
)
def test_rows_that_break_the_contract_are_refused(tmp_path: Path, rows: list[Row], message: str) -> None:
    with pytest.raises(
        ContractViolation, match=f"toys: refused, readers keep the snapshot before: .*{message}"
    ):
        written(layout_of(tmp_path), rows)
    assert not list(tmp_path.iterdir())


def bounds_of(folder: Path, values: pa.Array) -> tuple[object, object, int]:
    """Least and greatest value in the log's statistics of a file, None where there is none; nulls."""
    layout = FileLayout("toys", str(folder), pa.schema([("k", values.type)]), (), (), ("k",), {}, 1 << 20)
    sink = FileSink(layout)
    (file,) = [*sink.add(pa.RecordBatch.from_arrays([values], ["k"])), *sink.finish()]
    held = json.loads(json.loads(file.action)["add"]["stats"])
    return held["minValues"].get("k"), held["maxValues"].get("k"), held["nullCount"]["k"]


LAST = "\U0010ffff"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([dt.date(2026, 1, 2), None, dt.date(2025, 1, 1)]), ("2025-01-01", "2026-01-02", 1)),
        (pa.array([3, 2**62, None, -5]), (-5, 2**62, 1)),
        (pa.array([dt.datetime(2026, 1, 1)], pa.timestamp("us", "UTC")), (None, None, 0)),
        (pa.array([1.0, float("nan")]), (None, None, 0)),
        (pa.array([None], pa.string()), (None, None, 1)),
        (pa.array(["a" * 32]), ("a" * 32, "a" * 32, 0)),
        (pa.array(["a" * 33]), ("a" * 32, "a" * 32 + LAST, 0)),
        (pa.array(["a" * 32 + LAST]), ("a" * 32, None, 0)),
        (pa.array(["a" * 32 + LAST * 2, "b"]), ("a" * 32, "b", 0)),
    ],
)
def test_bounds_hold_every_value_or_are_left_out(
    values: pa.Array, expected: tuple[object, object, int], tmp_path: Path
) -> None:
    assert bounds_of(tmp_path, values) == expected


def test_other_columns_are_refused(tmp_path: Path) -> None:
    batch = batch_of([("1", 1, "A", None)])
    sink = FileSink(layout_of(tmp_path))
    with pytest.raises(ContractViolation, match=r"toys: rows do not fit the table.*they have position int32"):
        list(sink.add(batch.select(["position", "alt", "calls"])))
    wide = batch.set_column(1, "position", batch.column(1).cast(pa.int64()))
    with pytest.raises(ContractViolation, match="position int64"):
        list(sink.add(wide))


def test_a_file_that_this_machine_does_not_see_is_no_file(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)
    seen, unseen = (written(layout, [("chr1", position, "A", b"")]) for position in (1, 2))
    (tmp_path / unseen[0].name).unlink()
    with pytest.raises(SettingsError, match="1 of 2 files where this machine does not see"):
        keep_only([layout], [*seen, *unseen])
    keep_only([layout], seen)
    assert [file.name for file in tmp_path.iterdir()] == [seen[0].name]
