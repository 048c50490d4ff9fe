"""Frequencies of any set of samples, from the packed calls, into a file or a table of their own."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from allofus_spark.cohort import (
    Strata,
    active_samples,
    build_strata,
    check_are_active,
    present,
    rows_of_widest,
    warehouse_build,
)
from allofus_spark.errors import BadSource
from allofus_spark.frequencies.compute import sums_of
from allofus_spark.frequencies.counts import Counting
from allofus_spark.frequencies.frequency import by_position
from allofus_spark.hadoop import hadoop_path
from allofus_spark.tables import (
    ALLELE_COUNTS,
    GENOTYPES,
    WHOLE_TABLE,
    Keys,
    Reader,
    SnapshotReader,
    Warehouse,
    Write,
    allele_frequencies,
    rows_per_batch,
    start_run,
)
from allofus_spark.tables.frequency_tables import subset_frequencies

_log = logging.getLogger(__name__)
_TABLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_DELIMITERS = {".tsv": "\t", ".csv": ","}


def write_subset_frequencies(
    warehouse: Warehouse, sample_ids: Sequence[str], *, file: str | None = None, table: str | None = None
) -> dict[str, int]:
    """Frequencies among ``sample_ids`` of every allele of their callsets.

    Written to ``file`` (.tsv, .csv or .parquet) or to the table ``frequencies_of_<table>``. A sample set is
    counted as it is; ancestry columns hold its members of each group. Returns the callsets and samples
    counted. Raises BadSamples naming ids that are in no active callset, BadSource for a bad file or table
    name.
    """
    if (file is None) == (table is None):
        raise BadSource("name either a file or a table for the subset's frequencies")
    _check_target(file, table)
    if file is not None:
        # A file changes no table: it is made beside a run that works, and from what cannot be written to.
        return _answer(warehouse, SnapshotReader(warehouse), sample_ids, partial(write_file, file=file))
    with start_run(warehouse, "compute_subset_frequencies") as run:
        target = subset_frequencies(str(table), warehouse.settings.frequencies.ancestry_groups)
        counters = _answer(
            warehouse,
            run,
            sample_ids,
            lambda rows: run.write(Write(target, rows, WHOLE_TABLE, Keys.HELD)),
        )
        run.counters.update(counters)
        return counters


def _answer(
    warehouse: Warehouse, tables: Reader, sample_ids: Sequence[str], write: Callable[[DataFrame], object]
) -> dict[str, int]:
    """Give the rows over the samples to ``write``; what was counted."""
    counted = frozenset(sample_ids)
    strata = _subset_strata(warehouse, tables, counted)
    with rows_per_batch(warehouse.spark, rows_of_widest(warehouse, (len(item.of_sample) for item in strata))):
        write(_subset_rows(warehouse, tables, strata))
    return {"callsets": len(strata), "samples": len(counted)}


def _check_target(file: str | None, table: str | None) -> None:
    if table is not None and not _TABLE_NAME.fullmatch(table):
        raise BadSource(f"table name {table!r}: use a letter, then up to 59 of a-z, 0-9 and _")
    if file is not None and Path(file).suffix not in (*_DELIMITERS, ".parquet"):
        raise BadSource(f"{file}: the ending must be .tsv, .csv or .parquet")


def _subset_strata(warehouse: Warehouse, tables: Reader, counted: frozenset[str]) -> list[Strata]:
    """Strata of the callsets that have some of the samples; those not counted are in none."""
    samples = active_samples(warehouse, tables)
    check_are_active(counted, samples)
    groups = warehouse.settings.frequencies.ancestry_groups
    return [
        build_strata(callset_id, members, groups, counted=counted)
        for callset_id, members in samples.items()
        if any(sample.sample_id in counted for sample in present(members))
    ]


def _subset_rows(warehouse: Warehouse, tables: Reader, strata: list[Strata]) -> DataFrame:
    """Rows of ``allele_frequencies`` over the strata."""
    counting = Counting({item.callset_id: item for item in strata}, warehouse_build(warehouse))
    counts = counting.rows_to_count(tables.read(GENOTYPES)).mapInArrow(counting, ALLELE_COUNTS.schema)
    if len(strata) > 1:
        counts = by_position(counts)
    groups = warehouse.settings.frequencies.ancestry_groups
    return counts.mapInArrow(sums_of(warehouse, strata), allele_frequencies(groups).schema)


def write_file(rows: DataFrame, file: str) -> None:
    """One file of the rows in genomic order, put in place only when it is whole."""
    spark, suffix = rows.sparkSession, Path(file).suffix
    file_system, target = hadoop_path(spark, file)
    if file_system.exists(target) and file_system.getFileStatus(target).isDirectory():
        raise BadSource(f"{file}: is a folder; name a file")
    _log.info("writing %s", file)
    # Sorted in the one task: a sort over all would count all genotypes once more, to divide the rows.
    ordered = rows.drop("bin").repartition(1).sortWithinPartitions("contig", "position", "ref", "alt")
    folder = f"{file}.writing"
    if suffix == ".parquet":
        ordered.write.mode("overwrite").parquet(folder)
    else:
        writer = flattened(ordered).write.mode("overwrite").option("header", True)
        writer.option("sep", _DELIMITERS[suffix]).option("emptyValue", "").csv(folder)
    _take_only_part(spark, folder, file)


def flattened(rows: DataFrame) -> DataFrame:
    """Struct columns as ``group_field`` columns."""
    columns = []
    for item in rows.schema.fields:
        if isinstance(item.dataType, StructType):
            columns += [
                F.col(f"{item.name}.{name}").alias(f"{item.name}_{name}") for name in item.dataType.names
            ]
        else:
            columns.append(F.col(item.name))
    return rows.select(*columns)


def _take_only_part(spark: SparkSession, folder: str, file: str) -> None:
    """Move the one part file of ``folder`` to ``file``, and remove the folder."""
    file_system, written = hadoop_path(spark, folder)
    _, target = hadoop_path(spark, file)
    paths = (item.getPath() for item in file_system.listStatus(written))
    part = next(path for path in paths if path.getName().startswith("part-"))
    file_system.delete(target, False)
    if not file_system.rename(part, target):
        raise BadSource(f"{file}: the result cannot be moved there; it is {part}, move it by hand")
    file_system.delete(written, True)
