"""Rows of the variants of releases, side by side, a batch at a time and without a JVM."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from allofus_spark.disclosure.cells import LEAST, Floats, is_diploid, known_columns
from allofus_spark.disclosure.least import least_copies
from allofus_spark.disclosure.people import Flags
from allofus_spark.published import table_files
from allofus_spark.published.names import variant_names

BATCH_ROWS = 1 << 14
_KEY = ("contig", "position", "ref", "alt")
_MEMORY = "2GB"  # beyond it a join goes to disk


@dataclass(frozen=True)
class Batch:
    """Rows of every release: of each its columns, NaN where null; ``keys``: how a finding names a row."""

    keys: pa.RecordBatch
    diploid: Flags
    columns: tuple[Mapping[str, Floats], ...]

    def name(self, row: int) -> str:
        """The allele of a row."""
        own = self.keys.slice(row, 1)
        return str(variant_names(*(own.column(part) for part in _KEY))[0].as_py())


@contextmanager
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with bounded memory; what does not fit goes to a folder that is removed."""
    with tempfile.TemporaryDirectory(prefix="allofus-verify-") as folder:
        connection = duckdb.connect(":memory:")
        try:
            connection.execute(f"SET memory_limit = '{_MEMORY}'")
            connection.execute("SET preserve_insertion_order = false")
            connection.execute("SET enable_progress_bar = false")
            connection.execute(f"SET temp_directory = '{folder}'")
            yield connection
        finally:
            connection.close()


def column_names(release: Path, product: str) -> list[str]:
    """Columns of a product as its first file has them; empty where it was not released."""
    files = table_files(release, product)
    return list(pq.read_schema(files[0]).names) if files else []


def variant_batches(
    connection: duckdb.DuckDBPyConnection,
    releases: Sequence[Path],
    groups: Sequence[str],
    floors: Sequence[int] | None = None,
) -> Iterator[Batch]:
    """Rows of the releases that have variants, joined by allele where there are several.

    ``floors``: those that each release kept, for copies that there must be as tests are shown; None: without.
    """
    columns = [known_columns(column_names(release, "variants"), groups) for release in releases]
    tested = [
        least_copies(release, groups, floor)
        for release, floor in zip(releases, floors or [], strict=floors is not None)
    ]
    reader = connection.sql(_select(releases, columns, tested)).to_arrow_reader(BATCH_ROWS)
    for names, least in zip(columns, tested, strict=False):
        names += [f"{group}_{LEAST}" for group in least[1]] if least else []
    for batch in reader:
        keys = batch.select(list(_KEY))
        of_releases = tuple(
            _numbers(batch, f"r{place}_", names, groups) for place, names in enumerate(columns)
        )
        yield Batch(keys, is_diploid(batch.column("contig")), of_releases)


def _select(
    releases: Sequence[Path],
    columns: Sequence[Sequence[str]],
    tested: Sequence[tuple[str, list[str]] | None],
) -> str:
    """One SELECT of the columns of all releases."""
    parts = []
    for place, (release, names) in enumerate(zip(releases, columns, strict=True)):
        picked = [*_KEY, *(f'"{name}" AS "r{place}_{name}"' for name in names)]
        table = f"read_parquet({listed(table_files(release, 'variants'))})"
        if tested and (least := tested[place]):
            picked += [f'least."{group}" AS "r{place}_{group}_{LEAST}"' for group in least[1]]
            table += f" LEFT JOIN ({least[0]}) AS least USING ({', '.join(_KEY)})"
        parts.append(f"SELECT {', '.join(picked)} FROM {table}")
    joins = "".join(
        f" FULL JOIN ({part}) AS r{place} USING ({', '.join(_KEY)})"
        for place, part in enumerate(parts)
        if place
    )
    return f"SELECT * FROM ({parts[0]}) AS r0{joins}"


def quoted(path: Path) -> str:
    """A path as a text of SQL."""
    return "'" + str(path).replace("'", "''") + "'"


def listed(files: Sequence[Path]) -> str:
    """Paths as a list of SQL."""
    return "[" + ", ".join(map(quoted, files)) + "]"


def _numbers(
    batch: pa.RecordBatch, prefix: str, names: Sequence[str], groups: Sequence[str]
) -> Mapping[str, Floats]:
    """Columns of one release as numbers; max_af_group as a flag of each group."""
    numbers: dict[str, Floats] = {}
    for name in names:
        column = batch.column(prefix + name)
        if name == "max_af_group":
            values = np.array(column.to_pylist(), object)
            numbers |= {f"max_is_{group}": (values == group).astype(np.float64) for group in groups}
        else:
            numbers[name] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return numbers
