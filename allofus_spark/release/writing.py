"""One product to files: a Delta table of one version, TSV, and of variants a VCF of sites."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from allofus_spark.bgzf import blocks
from allofus_spark.bgzip import END_OF_FILE
from allofus_spark.checksums import file_checksum
from allofus_spark.genome import Build
from allofus_spark.joined_files import check_seen, put_together
from allofus_spark.published import ReleasedColumn, ReleasedFile, ReleasedProduct
from allofus_spark.release.delta import write_log
from allofus_spark.release.parts import (
    PARQUET,
    PART_TYPE,
    TSV,
    VCF,
    InOrder,
    Made,
    OpenPart,
    Part,
    PartsJob,
)
from allofus_spark.release.text import tsv_head, vcf_head
from allofus_spark.tables import Table
from allofus_spark.vcf_files import index_vcf

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Written:
    """A product on disk."""

    table: Table
    rows: int
    counters: Mapping[str, int]
    files: tuple[Path, ...]

    def described(
        self,
        release: Path,
        *,
        policy: str,
        reason: str,
        withheld: Mapping[str, int],
        sources: Mapping[str, int],
    ) -> ReleasedProduct:
        """As the manifest says it."""
        return ReleasedProduct(
            name=self.table.name,
            grain=self.table.grain,
            policy=policy,
            reason=reason,
            rows=self.rows,
            withheld=dict(withheld),
            columns=[
                ReleasedColumn(
                    name=column.name,
                    type=column.type.simpleString(),
                    nullable=column.nullable,
                    description=column.comment,
                )
                for column in self.table.columns
            ],
            source_tables=dict(sources),
            files=[described_file(release, path) for path in self.files],
        )


def described_file(release: Path, path: Path) -> ReleasedFile:
    """Path in the release, size and SHA-256 of a file."""
    return ReleasedFile(
        path=str(path.relative_to(release)), bytes=path.stat().st_size, sha256=file_checksum(path)
    )


@dataclass(frozen=True)
class ProductWriter:
    """Writes products into the folder of one release."""

    folder: Path
    release: str
    build: Build

    def write_frame(
        self,
        table: Table,
        frame: DataFrame,
        *,
        make: Callable[[pa.RecordBatch], Made] | None = None,
        groups: tuple[str, ...] | None = None,
    ) -> Written | None:
        """Rows of a frame, sorted as the contract says, contigs in the build's order; None: no row.

        ``make`` turns batches into those of the product, else they have its columns; ``groups``: of a product
        of variants.
        """
        _log.info(f"release {self.release}: writing {table.name}")
        parts = self._parts_folder(table)
        job = PartsJob(parts, arrow_schema(table), make or InOrder(_names(table)), groups)
        if make is None:
            frame = frame.select(*(name for name in _names(table) if name in frame.columns))
        order = self._order(table)
        rows = frame.repartitionByRange(*order).sortWithinPartitions(*order)
        reports = rows.mapInArrow(job, PART_TYPE).collect()
        made = [
            Part(row.stem, row.place, row.rows, row.last_position, tuple(row.contigs), row.counters)
            for row in reports
        ]
        return self._finish(table, sorted(made, key=lambda part: part.place), groups)

    def write_rows(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> Written | None:
        """Rows that the driver holds, in the order of the contract; None: no row."""
        schema = arrow_schema(table)
        held = pa.Table.from_pylist([dict(row) for row in rows], schema)
        if not held.num_rows:
            return None
        order = [(name, "ascending") for name in table.sort_by]
        part = OpenPart(self._parts_folder(table), 0, schema, None)
        for batch in held.sort_by(order).combine_chunks().to_batches():
            part.add(batch, {})
        return self._finish(table, [part.close()], None)

    def _order(self, table: Table) -> list[Column]:
        """Columns of the order; contigs by their place in the build, others after them by name."""
        places = {name: place for place, name in enumerate(self.build.contig_lengths)}
        pairs = [F.lit(item) for pair in places.items() for item in pair]
        order: list[Column] = []
        for name in table.sort_by:
            if name == "contig":
                order.append(F.coalesce(F.create_map(*pairs)[F.col(name)], F.lit(len(places))))
            order.append(F.col(name))
        return order

    def _parts_folder(self, table: Table) -> Path:
        folder = self.folder / "tables" / table.name
        folder.mkdir(parents=True)
        return folder

    def _finish(self, table: Table, parts: Sequence[Part], groups: tuple[str, ...] | None) -> Written | None:
        folder = self.folder / "tables" / table.name
        if not parts:
            folder.rmdir()
            return None
        named = [_named(folder, place, part) for place, part in enumerate(parts)]
        counters = Counter[str]()
        for part in parts:
            counters.update(part.counters)
        files = [Path(part.stem + PARQUET) for part in named]
        texts = [self._tsv(table, named)]
        if groups is not None:
            texts += self._vcf(named, groups)
        for stray in set(folder.iterdir()) - set(files):
            stray.unlink()  # of a task that was tried again
        log = write_log(folder, table, files, self.release)
        return Written(table, sum(part.rows for part in parts), counters, (*files, log, *texts))

    def _tsv(self, table: Table, parts: Sequence[Part]) -> Path:
        path = self._text_path("tsv", f"{table.name}{TSV}")
        head = b"".join(blocks(tsv_head(arrow_schema(table)).encode()))
        put_together(path, head, (Path(part.stem + TSV) for part in parts), END_OF_FILE)
        return path

    def _vcf(self, parts: Sequence[Part], groups: tuple[str, ...]) -> list[Path]:
        path = self._text_path("vcf", f"variants{VCF}")
        contigs = list(dict.fromkeys(contig for part in parts for contig in part.contigs))
        head = b"".join(blocks(vcf_head(self.build, contigs, groups).encode()))
        put_together(path, head, (Path(part.stem + VCF) for part in parts), END_OF_FILE)
        return [path, index_vcf(path, max(part.last_position for part in parts))]

    def _text_path(self, kind: str, name: str) -> Path:
        (self.folder / kind).mkdir(exist_ok=True)
        return self.folder / kind / name


def arrow_schema(table: Table) -> pa.Schema:
    """The contract's columns as Arrow has them."""
    return to_arrow_schema(table.schema)


def _names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


def _named(folder: Path, place: int, part: Part) -> Part:
    """The part with files whose names sort as its rows."""
    stem = folder / f"part-{place:05d}"
    for ending in (PARQUET, TSV, VCF):
        file = Path(part.stem + ending)
        if ending == PARQUET:
            check_seen(file)
        if file.exists():
            file.rename(f"{stem}{ending}")
    return replace(part, stem=str(stem))
