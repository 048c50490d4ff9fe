"""Parse a whole source into staged Parquet, and hold the tasks' accounts against it.

Parsing happens once; every table of the ingest is made from the staged rows. They lie beside the tables
under ``_staging`` until the run ends, so that nothing is committed before the whole input is accounted for.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from allofus_spark import errors
from allofus_spark.errors import BadSource
from allofus_spark.hadoop import hadoop_path, without_glob
from allofus_spark.ingest.order import follow_each_other, overlap
from allofus_spark.ingest.source import Account, IngestJob, Source, parse_tasks, stage_tasks
from allofus_spark.ingest.vcf import staging
from allofus_spark.tables import STAGING, Warehouse


@dataclass(frozen=True)
class Ledger:
    """Totals over all tasks, and by file.

    ``accounts`` are the tasks', in order. ``in_order``: the tasks' rows follow each other in the genome;
    ``may_repeat``: a key can stand twice.
    """

    totals: Counter[str]
    of_file: Mapping[str, Counter[str]]
    accounts: Sequence[Account]
    in_order: bool
    may_repeat: bool


@dataclass(frozen=True)
class Staged:
    """Staged rows in ``folder``, and their ledger. ``rows`` and ``alleles`` come in any order.

    ``paths`` are the files of the tasks, in order, where tasks wrote and can read them, else None.
    """

    spark: SparkSession
    folder: str
    ledger: Ledger
    paths: list[str] | None

    @cached_property
    def rows(self) -> DataFrame:
        """All staged rows; made when asked for, as most ingests need no frame of them."""
        return _read_folder(self.spark, self.folder)

    @property
    def alleles(self) -> DataFrame:
        """The staged alleles."""
        return self.rows.where(F.col("row_kind") == staging.ALLELE)


def _read_folder(spark: SparkSession, folder: str) -> DataFrame:
    return spark.read.schema(staging.staged_schema()).parquet(without_glob(folder))


@contextmanager
def staging_folder(spark: SparkSession, root: str, run_id: str) -> Iterator[str]:
    """A folder for a run's staged rows, removed when the block ends."""
    folder = f"{root}/{STAGING}/{run_id}"
    try:
        yield folder
    finally:
        file_system, path = hadoop_path(spark, folder)
        file_system.delete(path, True)


def stage_records(warehouse: Warehouse, source: Source, job: IngestJob, folder: str) -> Staged:
    """Parse the source into ``folder``, and hold the accounts against it.

    Raises the error of the first bad file (in path order) with the number of further ones; BadSource where
    the tasks do not cover a file exactly, or records read are not records kept, refused or without ALT.
    """
    spark = warehouse.spark
    local_folder = None
    if warehouse.local_root is not None:
        local_folder = f"{warehouse.local_root}{folder.removeprefix(warehouse.root)}"
        os.makedirs(local_folder)
    source = source.prepared(job, folder, local_folder)
    frame = source.frame(spark)
    if local_folder is not None:
        ledgers = frame.mapInArrow(partial(stage_tasks, source, job, local_folder), "ledger string").collect()
        paths = [staging.staged_path(local_folder, number) for number in range(source.n_tasks)]
        return Staged(spark, folder, _balanced(ledgers, source), paths)
    parsed = frame.mapInArrow(partial(parse_tasks, source, job), staging.staged_schema())
    # Snappy: staged rows live for seconds, and decoding them is most of what they cost. Append: a source from
    # Hail has put its rows below the folder.
    parsed.write.mode("append").option("compression", "snappy").parquet(folder)
    rows = _read_folder(spark, folder)
    ledgers = rows.where(F.col("row_kind") == staging.LEDGER).select("ledger").collect()
    return Staged(spark, folder, _balanced(ledgers, source), None)


def _balanced(ledgers: list[Row], source: Source) -> Ledger:
    """What all tasks say together."""
    accounts = sorted((json.loads(row.ledger) for row in ledgers), key=lambda account: account["task"])
    failed = [account for account in accounts if "error" in account]
    if failed:
        bad_files = len({account["path"] for account in failed})
        more = f" ({bad_files - 1} more files are bad too)" if bad_files > 1 else ""
        raise getattr(errors, failed[0]["error"])(f"{failed[0]['message']}{more}")
    if [account["task"] for account in accounts] != list(range(source.n_tasks or len(accounts))):
        raise BadSource("a task reported twice or not at all; nothing was written. Run it again")
    source.check(accounts)
    of_file: dict[str, Counter[str]] = {path: Counter() for path in source.paths}
    for account in accounts:
        of_file[account["path"]].update(account["counters"])
    totals: Counter[str] = Counter(files=len(source.paths))
    for counters in of_file.values():
        totals.update(counters)
    spans = [account["spans"] for account in accounts]
    return Ledger(
        totals,
        of_file,
        accounts,
        in_order=follow_each_other(spans),
        may_repeat=overlap(spans) or any(account["may_repeat"] for account in accounts),
    )
