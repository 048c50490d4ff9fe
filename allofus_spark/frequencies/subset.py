"""Frequencies of any set of samples, from the packed calls, into a file or a table of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from allofus_spark.cohort import (
    Strata,
    active_samples,
    build_strata,
    check_are_active,
    rows_of_strata,
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
    Run,
    Warehouse,
    Write,
    allele_frequencies,
    rows_per_batch,
    start_run,
)
from allofus_spark.tables.frequency_tables import subset_frequencies

_TABLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_DELIMITERS = {".tsv": "\t", ".csv": ","}


def write_subset_frequencies(
    warehouse: Warehouse, sample_ids: Sequence[str], *, file: str | None = None, table: str | None = None
) -> dict[str, int]:
    """Frequencies among ``sample_ids`` of every allele of their callsets.

    Written to ``file`` (.tsv, .csv or .parquet) or to the table ``frequencies_of_<table>``. A sample set is
    counted as it is; ancestry columns hold its members of each group. Returns the run's counters. Raises
    BadSamples naming ids that are in no active callset, BadSource for a bad file or table name.
    """
    if (file is None) == (table is None):
        raise BadSource("name either a file or a table for the subset's frequencies")
    _check_target(file, table)
    with start_run(warehouse, "compute_subset_frequencies") as run:
        strata = _subset_strata(warehouse, run, frozenset(sample_ids))
        with rows_per_batch(warehouse.spark, rows_of_strata(warehouse, strata)):
            rows = _subset_rows(warehouse, run, strata)
            if table is not None:
                groups = warehouse.settings.frequencies.ancestry_groups
                run.write(Write(subset_frequencies(table, groups), rows, WHOLE_TABLE, Keys.HELD))
            elif file is not None:
                run.progress(f"writing {file}")
                write_file(rows, file)
        return dict(run.counters)


def _check_target(file: str | None, table: str | None) -> None:
    if table is not None and not _TABLE_NAME.fullmatch(table):
        raise BadSource(f"table name {table!r}: use a letter, then up to 59 of a-z, 0-9 and _")
    if file is not None and Path(file).suffix not in (*_DELIMITERS, ".parquet"):
        raise BadSource(f"{file}: the ending must be .tsv, .csv or .parquet")


def _subset_strata(warehouse: Warehouse, run: Run, counted: frozenset[str]) -> list[Strata]:
    """Strata of the callsets that have some of the samples; those not counted are in none."""
    samples = active_samples(warehouse, run)
    check_are_active(counted, samples)
    groups = warehouse.settings.frequencies.ancestry_groups
    strata = [
        build_strata(callset_id, members, groups, counted=counted)
        for callset_id, members in samples.items()
        if any(sample.sample_id in counted for sample in members)
    ]
    run.counters.update(callsets=len(strata), samples=len(counted))
    return strata


def _subset_rows(warehouse: Warehouse, run: Run, strata: list[Strata]) -> DataFrame:
    """Rows of ``allele_frequencies`` over the strata."""
    counting = Counting({item.callset_id: item for item in strata}, warehouse_build(warehouse))
    counts = counting.rows_to_count(run.read(GENOTYPES)).mapInArrow(counting, ALLELE_COUNTS.schema)
    if len(strata) > 1:
        counts = by_position(counts)
    groups = warehouse.settings.frequencies.ancestry_groups
    return counts.mapInArrow(sums_of(warehouse, strata), allele_frequencies(groups).schema)


def write_file(rows: DataFrame, file: str) -> None:
    """One file of the rows in genomic order, put in place only when it is whole."""
    suffix = Path(file).suffix
    ordered = rows.drop("bin").orderBy("contig", "position", "ref", "alt").coalesce(1)
    folder = f"{file}.writing"
    if suffix == ".parquet":
        ordered.write.mode("overwrite").parquet(folder)
    else:
        writer = flattened(ordered).write.mode("overwrite").option("header", True)
        writer.option("sep", _DELIMITERS[suffix]).option("emptyValue", "").csv(folder)
    _take_only_part(rows.sparkSession, folder, file)


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
    file_system.rename(part, target)
    file_system.delete(written, True)
