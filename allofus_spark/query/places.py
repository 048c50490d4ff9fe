"""Reading what the tables say at few places: predicates on the partition and position prune files."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property, reduce

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from allofus_spark.cohort import warehouse_build
from allofus_spark.genome import Build
from allofus_spark.tables import ALLELE_KEY, SnapshotReader, Table, Warehouse, live_files

Key = tuple[str, int, int, str, str]


class Places:
    """The newest snapshot of a warehouse, read at places of the genome."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.reader = SnapshotReader(warehouse)
        self.build: Build = warehouse_build(warehouse)

    @cached_property
    def bin_width(self) -> int:
        return self.warehouse.bin_width_bases

    def rows(self, table: Table | DataFrame, positions: Iterable[tuple[str, int]]) -> list[Row]:
        """Rows at any of these (contig, position); none where the table is not there.

        For few positions: their rows are collected.
        """
        wanted = list(positions)
        if not wanted or (isinstance(table, Table) and not self.reader.holds(table)):
            return []
        frame = self.reader.read(table) if isinstance(table, Table) else table
        return frame.where(self._at(wanted)).collect()

    def contigs(self, table: Table) -> list[str]:
        """Contigs that a table partitioned by them has rows on, sorted; local files alone tell it."""
        if self.warehouse.local_root is None:
            rows = self.reader.read(table).select("contig").distinct().collect()
            return sorted(row.contig for row in rows)
        files = live_files(self.warehouse.local_path(table), self.reader.version(table))
        return sorted({file.partition["contig"] for file in files})

    def _at(self, positions: list[tuple[str, int]]) -> Column:
        by_contig: defaultdict[str, list[int]] = defaultdict(list)
        for contig, position in positions:
            by_contig[contig].append(position)
        return reduce(
            operator.or_,
            (
                (F.col("contig") == contig)
                & F.col("bin").isin(sorted({position // self.bin_width for position in own}))
                & F.col("position").isin(sorted(set(own)))
                for contig, own in by_contig.items()
            ),
        )


def key_of(row: Row) -> Key:
    contig, bin_, position, ref, alt = (row[name] for name in ALLELE_KEY)
    return contig, bin_, position, ref, alt
