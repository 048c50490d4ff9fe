"""Questions to the products of a release, answered by DuckDB within a bound of memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from allofus_spark.published import Manifest, table_files

_MEMORY = "512MiB"
_THREADS = 2

Row = dict[str, Any]


class Released:
    """A release's products as views by their names."""

    def __init__(self, release: Path, manifest: Manifest, database: duckdb.DuckDBPyConnection) -> None:
        self.manifest = manifest
        self._database = database
        self._names: set[str] = set()
        for product in manifest.products:
            files = [str(path) for path in table_files(release, product.name)]
            if files:
                database.read_parquet(files).create_view(product.name)
                self._names.add(product.name)

    def has(self, product: str) -> bool:
        """Whether there is anything of a product."""
        return product in self._names

    def rows(self, query: str, *values: object) -> list[Row]:
        """The rows of a query, which is to have few of them."""
        answer = self._database.execute(query, list(values))
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def first(self, query: str, *values: object) -> Row | None:
        """The first row of a query."""
        return next(iter(self.rows(query, *values)), None)


@contextmanager
def open_products(release: Path, manifest: Manifest) -> Iterator[Released]:
    """The products while the block runs."""
    with duckdb.connect(config={"memory_limit": _MEMORY, "threads": _THREADS}) as database:
        yield Released(release, manifest, database)
