"""The index of a release: its looked-up products as small compressed batches, with the bounds of each.

Parquet is laid out for scans. A look-up that needs one row of 58 columns reads a row group: 4 ms for 4,096
rows, most of it spent on starting zstd for every column; DuckDB takes 30 ms over the same files. A batch of
1,024 rows in an Arrow file, compressed by LZ4, is read in 0.2 ms (``benchmarks/browser_layouts.py``). The
copy is made once, a piece at a time, and takes about twice the room on disk.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allofus_spark.errors import BadSource
from allofus_spark.published import MANIFEST, read_manifest, table_files
from allofus_spark.settings import BrowserSettings

_DONE = "indexed"
_FORMAT = 1
_READ_ROWS = 65_536  # rows of Parquet that are held at once


class Sorting(NamedTuple):
    """What rows are looked up by: a whole number, ``key``, inside each text of ``within`` where given."""

    key: str
    within: str | None


_BY_PLACE = Sorting("position", "contig")
LOOKED_UP: Mapping[str, Sorting] = {
    "variants": _BY_PLACE,
    "consequences": _BY_PLACE,
    "rsids": Sorting("rs_number", None),
    "associations": _BY_PLACE,
    "meta_associations": _BY_PLACE,
}
SCANS = ("associations", "meta_associations")


def rows_file(folder: Path, product: str) -> Path:
    """Where the rows of a product are in an index."""
    return folder / f"{product}.arrow"


def bounds_file(folder: Path, product: str) -> Path:
    """Where the bounds of its batches are."""
    return folder / f"{product}.bounds.parquet"


def top_file(folder: Path, product: str) -> Path:
    """Where the strongest associations of each phenotype are."""
    return folder / f"{product}.top.parquet"


def prepare(release: Path, folder: Path, settings: BrowserSettings) -> None:
    """Fill ``folder`` with the index of a release; the index of the same manifest is left as it is.

    Memory is bounded by ``settings.index_mib``, however large the release. Raises BadSource where the folder
    holds something else.
    """
    read_manifest(release)
    state = f"{_FORMAT} {settings.batch_rows} {settings.top_associations} "
    state += hashlib.sha256((release / MANIFEST).read_bytes()).hexdigest()
    done = folder / _DONE
    if done.is_file() and done.read_text(encoding="utf-8") == state:
        return
    if folder.exists() and any(folder.iterdir()) and not done.is_file():
        raise BadSource(f"{folder} holds other files: give the index a folder of its own")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    done.write_text("unfinished", encoding="utf-8")
    for product, sorting in LOOKED_UP.items():
        if files := table_files(release, product):
            _copy(files, folder, product, sorting, settings.batch_rows)
    for product in SCANS:
        if files := table_files(release, product):
            _take_out_top(files, top_file(folder, product), settings)
    done.write_text(state, encoding="utf-8")


def _copy(files: list[Path], folder: Path, product: str, sorting: Sorting, batch_rows: int) -> None:
    schema = pq.read_schema(files[0]).remove_metadata()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    bounds: list[dict[str, Any]] = []
    with pa.ipc.new_file(rows_file(folder, product), schema, options=options) as target:
        for batch in _batches(files, schema, sorting, batch_rows):
            target.write_batch(batch)
            bounds.append(_bounds(batch, sorting))
    _check_order(product, bounds)
    pq.write_table(pa.Table.from_pylist(bounds, _BOUNDS), bounds_file(folder, product))


_BOUNDS = pa.schema(
    {name: pa.int64() for name in ("rows", "low", "high")} | {"text": pa.string(), "is_rising": pa.bool_()}
)


def _batches(
    files: list[Path], schema: pa.Schema, sorting: Sorting, most_rows: int
) -> Iterator[pa.RecordBatch]:
    """Batches of at most so many rows, each within one text."""
    for path in files:
        # Memory of a row group is given back with its file.
        with pq.ParquetFile(path) as source:
            for read in source.iter_batches(_READ_ROWS, use_threads=False):
                batch = pa.RecordBatch.from_arrays(read.cast(schema).columns, schema=schema)
                for start, end in itertools.pairwise(_cuts(batch, sorting)):
                    for at in range(start, end, most_rows):
                        yield batch.slice(at, min(most_rows, end - at))


def _cuts(batch: pa.RecordBatch, sorting: Sorting) -> list[int]:
    """Where another text begins; 0 and the number of rows too."""
    if sorting.within is None or not batch.num_rows:
        return [0, batch.num_rows]
    ends = pc.run_end_encode(batch.column(sorting.within)).run_ends.to_pylist()
    return [0, *ends]


def _bounds(batch: pa.RecordBatch, sorting: Sorting) -> dict[str, Any]:
    keys = batch.column(sorting.key).to_numpy()
    return {
        "rows": batch.num_rows,
        "low": int(keys[0]),
        "high": int(keys[-1]),
        "text": "" if sorting.within is None else batch.column(sorting.within)[0].as_py(),
        "is_rising": bool((keys[1:] >= keys[:-1]).all()),
    }


def _check_order(product: str, bounds: list[dict[str, Any]]) -> None:
    """Raise BadSource where rows of a text do not follow each other by their keys: none would be found."""
    last_key: dict[str, int] = {}
    before = ""
    for batch in bounds:
        text, low = batch["text"], batch["low"]
        is_next = text == before or text not in last_key
        if not (is_next and batch["is_rising"] and last_key.get(text, low) <= low):
            raise BadSource(
                f"{product} of the release is not sorted near {text} {low:,}: its rows cannot be looked up. "
                "The release was changed, or made by another version."
            )
        last_key[text], before = batch["high"], text


def _take_out_top(files: list[Path], target: Path, settings: BrowserSettings) -> None:
    """The strongest associations of each phenotype, scan and ancestry, strongest first."""
    names = pq.read_schema(files[0]).names
    keys = [name for name in ("scan", "phenotype_id", "ancestry") if name in names]
    row = ", ".join(f"{name} := {name}" for name in names if name not in keys)
    by = ", ".join(keys)
    place = str(target).replace("'", "''")
    with duckdb.connect(config={"memory_limit": f"{settings.index_mib}MiB", "threads": 1}) as database:
        database.read_parquet([str(path) for path in files]).create_view("tested")
        database.execute(
            f"""
            COPY (
              WITH strongest AS (
                SELECT {by}, max_by(struct_pack({row}), neg_log10_p, {settings.top_associations}) AS held
                FROM tested GROUP BY {by}
              ),
              single AS (SELECT {by}, unnest(held) AS held FROM strongest)
              SELECT {by}, held.* FROM single ORDER BY {by}, held.neg_log10_p DESC
            ) TO '{place}' (FORMAT parquet)
            """
        )
