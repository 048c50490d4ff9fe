"""Parse all splits into staged Parquet, and hold the tasks' accounts against the files.

Parsing happens once; every table of the ingest is made from the staged rows. They lie beside the tables
under ``_staging`` until the run ends, so that nothing is committed before the whole input is accounted for.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, reduce

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from allofus_spark import errors
from allofus_spark.errors import BadSource
from allofus_spark.hadoop import hadoop_path
from allofus_spark.ingest.bytes import SplitReport, check_reports
from allofus_spark.ingest.files import SourceFile, without_glob
from allofus_spark.ingest.order import follow_each_other, overlap
from allofus_spark.ingest.plan import CallsetPlan
from allofus_spark.ingest.tasks import ParseJob, parse_ranges, parse_streams, stage_ranges
from allofus_spark.ingest.vcf import staging
from allofus_spark.tables import Warehouse

_PASSTHROUGH = "org.apache.hadoop.io.compress.PassthroughCodec"
# Hadoop's key, and what it becomes in the shaded client that PySpark ships.
_PASSTHROUGH_EXTENSIONS = (
    "io.compress.passthrough.extension",
    "org.apache.hadoop.shaded.io.compress.passthrough.extension",
)


@dataclass(frozen=True)
class Ledger:
    """Totals over all splits; whether these follow each other in the genome, and whether a key can repeat."""

    totals: Counter[str]
    in_order: bool
    may_repeat: bool


@dataclass(frozen=True)
class Staged:
    """Staged rows, read lazily and in any order, and their ledger.

    ``folder`` holds one file a split where tasks wrote and can read them, else it is None.
    """

    rows: DataFrame
    ledger: Ledger
    folder: str | None


@contextmanager
def staging_folder(spark: SparkSession, root: str, run_id: str) -> Iterator[str]:
    """A folder for a run's staged rows, removed when the block ends."""
    folder = f"{root}/_staging/{run_id}"
    try:
        yield folder
    finally:
        file_system, path = hadoop_path(spark, folder)
        file_system.delete(path, True)


def stage_records(warehouse: Warehouse, plan: CallsetPlan, job: ParseJob, folder: str) -> Staged:
    """Parse every split into ``folder``, and hold the accounts against the files.

    Raises the error of the first bad file (in path order) with the number of further ones; BadSource where
    the splits do not cover a file exactly, or records read are not records kept, refused or without ALT.
    """
    spark = warehouse.spark
    local_sources = plan.files[0].local is not None
    if local_sources and warehouse.local_root is not None:
        numbers = _split_numbers(spark, job)
        local_folder = f"{warehouse.local_root}{folder.removeprefix(warehouse.root)}"
        os.makedirs(local_folder)
        ledgers = numbers.mapInArrow(partial(stage_ranges, job, local_folder), "ledger string").collect()
        rows = spark.read.schema(staging.staged_schema()).parquet(without_glob(folder))
        return Staged(rows, _balanced(ledgers, plan), local_folder)
    frame = _parse_local(spark, job) if local_sources else _parse_remote(spark, plan, job)
    # Snappy: staged rows live for seconds, and decoding them is most of what they cost.
    frame.write.option("compression", "snappy").parquet(folder)
    rows = spark.read.schema(staging.staged_schema()).parquet(without_glob(folder))
    ledgers = rows.where(F.col("row_kind") == staging.LEDGER).select("ledger").collect()
    return Staged(rows, _balanced(ledgers, plan), None)


def _split_numbers(spark: SparkSession, job: ParseJob) -> DataFrame:
    """One task a split: the split's number is all that Spark hands over."""
    return spark.range(0, len(job.splits), 1, numPartitions=len(job.splits))


def _parse_local(spark: SparkSession, job: ParseJob) -> DataFrame:
    return _split_numbers(spark, job).mapInArrow(partial(parse_ranges, job), staging.staged_schema())


def _parse_remote(spark: SparkSession, plan: CallsetPlan, job: ParseJob) -> DataFrame:
    """One task a file: executors read its raw bytes through Hadoop, whatever the file system."""
    raw = reduce(DataFrame.unionAll, [_raw_bytes(spark, file) for file in plan.files])
    return raw.mapInArrow(partial(parse_streams, job), staging.staged_schema())


def _raw_bytes(spark: SparkSession, file: SourceFile) -> DataFrame:
    """(path, bytes between newlines) of a file as stored: no codec, no split."""
    name = file.uri.rsplit("/", 1)[-1]
    ending = name[name.rindex(".") :] if "." in name else name
    reader = spark.read.option("lineSep", "\n").option("io.compression.codecs", _PASSTHROUGH)
    for key in _PASSTHROUGH_EXTENSIONS:
        reader = reader.option(key, ending)
    value = F.col("value").cast("binary").alias("value")
    return reader.text(without_glob(file.uri)).select(F.lit(file.uri).alias("path"), value)


def _balanced(ledgers: list[Row], plan: CallsetPlan) -> Ledger:
    """What all splits say together."""
    place = {(split.path, split.start): number for number, split in enumerate(plan.splits)}
    accounts = [json.loads(row.ledger) for row in ledgers]
    accounts.sort(key=lambda account: place[account["path"], account["start"]])
    failed = [account for account in accounts if "error" in account]
    if failed:
        bad_files = len({account["path"] for account in failed})
        more = f" ({bad_files - 1} more files are bad too)" if bad_files > 1 else ""
        raise getattr(errors, failed[0]["error"])(f"{failed[0]['message']}{more}")
    reports: dict[str, list[SplitReport]] = defaultdict(list)
    totals: Counter[str] = Counter(files=len(plan.files))
    for account in accounts:
        reports[account["path"]].append(SplitReport(**account["report"]))
        totals.update(account["counters"])
    kinds = {split.path: split.kind for split in plan.splits}
    for file in plan.files:
        check_reports(reports[file.path], kinds[file.path], file.size)
    _check_balance(totals)
    spans = [account["spans"] for account in accounts]
    return Ledger(
        totals,
        in_order=follow_each_other(spans),
        may_repeat=overlap(spans) or any(account["may_repeat"] for account in accounts),
    )


def _check_balance(totals: Counter[str]) -> None:
    accounted = totals["records_kept"] + totals["records_refused"] + totals["records_without_alt"]
    if totals["records_read"] != accounted:
        raise BadSource(
            f"{totals['records_read']} records were read but {accounted} are accounted for "
            f"({totals['records_kept']} kept, {totals['records_refused']} refused, "
            f"{totals['records_without_alt']} without ALT); nothing was written. This is a defect: report it."
        )
