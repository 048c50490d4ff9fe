"""What one look-up costs by layout: a row group of the release, DuckDB over its files, a batch of the index.

    python -m benchmarks.browser_layouts --folder RELEASE

Milliseconds of processor time, medians, for the row of one variant with every column, at random places of the
genome. The files are in the operating system's memory.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from allofus_spark.browser import prepare
from allofus_spark.browser.index import rows_file
from allofus_spark.published import table_files
from allofus_spark.settings import BrowserSettings

_TIMES = 100


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--folder", type=Path, required=True, help="a release, as benchmarks.browser writes it"
    )
    release: Path = parser.parse_args().folder
    files = table_files(release, "variants")
    opened = [pq.ParquetFile(path) for path in files]
    rng = random.Random(1)

    def row_group() -> None:
        file = rng.choice(opened)
        file.read_row_group(rng.randrange(file.num_row_groups), use_threads=False)

    rows = opened[0].metadata.row_group(0).num_rows
    print(f"row group of {rows:,} rows, pyarrow: {median_milliseconds(row_group):.2f} ms")
    with duckdb.connect(config={"threads": 1}) as database:
        database.read_parquet([str(path) for path in files]).create_view("variants")

        def query() -> None:
            place = ["chr1", rng.randrange(240_000_000)]
            database.execute("SELECT * FROM variants WHERE contig = ? AND position = ?", place).fetchall()

        print(f"DuckDB over {len(files)} files: {median_milliseconds(query):.2f} ms")
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        began = time.perf_counter()
        prepare(release, index, BrowserSettings())
        size = sum(path.stat().st_size for path in index.iterdir()) / 1e6
        print(f"index: {size:,.0f} MB, made in {time.perf_counter() - began:.1f} s")
        options = pa.ipc.IpcReadOptions(use_threads=False)
        reader = pa.ipc.open_file(pa.OSFile(str(rows_file(index, "variants"))), options=options)

        def batch() -> None:
            reader.get_batch(rng.randrange(reader.num_record_batches))

        print(f"batch of {BrowserSettings().batch_rows:,} rows: {median_milliseconds(batch):.2f} ms")


def median_milliseconds(work: Callable[[], None]) -> float:
    """Processor time of a piece of work, the first time not counted."""
    work()
    taken = []
    for _ in range(_TIMES):
        began = time.process_time()
        work()
        taken.append(1_000 * (time.process_time() - began))
    return statistics.median(taken)


if __name__ == "__main__":
    main()
