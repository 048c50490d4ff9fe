"""Rows of ``novelty`` and ``novelty_history``: from data files that tasks merge, or from joined frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import batch_of, runs_of
from allofus_spark.cohort.allele_files import AlleleFiles
from allofus_spark.novelty.judge import Evidence, Judge
from allofus_spark.tables import ALLELE_KEY, NOVELTY, NOVELTY_HISTORY
from allofus_spark.tasks import numbers_in

_PARTITION = ("contig", "bin")
_SITE = ("contig", "bin", "position")
Rows = Iterator[tuple[str, pa.RecordBatch]]


@dataclass(frozen=True)
class Flagging:
    """How alleles become rows; goes to the workers by pickle.

    ``revision`` is that of the set; with ``keep_history`` a status that was another before is recorded.
    """

    catalogue_set: str
    revision: int
    judge: Judge
    keep_history: bool

    def rows(
        self,
        partition: tuple[str, int],
        alleles: pa.RecordBatch,
        evidence: Sequence[Evidence],
        status_before: pa.Array,
    ) -> Rows:
        """Rows of the alleles of one (contig, bin)."""
        n = alleles.num_rows
        columns: dict[str, pa.Array] = {
            "catalogue_set": pa.repeat(self.catalogue_set, n),
            "contig": pa.repeat(partition[0], n),
            "bin": pa.repeat(pa.scalar(partition[1], pa.int32()), n),
            **{name: alleles.column(name) for name in ("position", "ref", "alt")},
            **self.judge.columns(partition[0], alleles, evidence),
        }
        yield NOVELTY.name, batch_of(NOVELTY.schema.names, columns)
        if self.keep_history:
            columns["revision"] = pa.repeat(pa.scalar(self.revision, pa.int32()), n)
            columns["from_status"] = status_before
            columns["to_status"] = columns["status"]
            changed = pc.fill_null(pc.not_equal(status_before, columns["status"]), False)
            if pc.any(changed).as_py():
                yield NOVELTY_HISTORY.name, batch_of(NOVELTY_HISTORY.schema.names, columns).filter(changed)


@dataclass(frozen=True)
class FileTask:
    """A share of a file of ``variants``, and the files of its partition that it is held against.

    ``known`` follows the judge's catalogues; ``before`` are those of ``novelty`` as it was.
    """

    contig: str
    bin: int
    path: str
    share: int
    of: int
    known: Sequence[Sequence[str]]
    before: Sequence[str]


@dataclass(frozen=True)
class MergeFiles:
    """Rows of numbered tasks; goes to the workers by pickle."""

    tasks: Sequence[FileTask]
    flagging: Flagging

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Rows:
        for number in numbers_in(batches):
            yield from self._merged(self.tasks[number])

    def _merged(self, task: FileTask) -> Rows:
        known = [AlleleFiles(paths, ["known_id"]) for paths in task.known]
        before = AlleleFiles(task.before, ["status"])
        variants = AlleleFiles([task.path], ["first_callset_id"])
        for alleles in variants.rows(task.share, task.of):
            found = [files.find(alleles) for files in known]
            evidence = [Evidence(item.known, item.other, item.values["known_id"]) for item in found]
            status_before = before.find(alleles).values["status"]
            yield from self.flagging.rows((task.contig, task.bin), alleles, evidence, status_before)


@dataclass(frozen=True)
class JudgeJoined:
    """Rows from a frame as of ``joined``; goes to the workers by pickle."""

    flagging: Flagging

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Rows:
        for batch in batches:
            for partition, rows in runs_of(batch, _PARTITION):
                evidence = [
                    Evidence(
                        np.asarray(rows.column(f"known_{place}")),
                        np.asarray(rows.column(f"other_{place}")),
                        rows.column(f"known_id_{place}"),
                    )
                    for place in range(len(self.flagging.judge.catalogues))
                ]
                yield from self.flagging.rows(partition, rows, evidence, rows.column("status_before"))


def joined(variants: DataFrame, known: Sequence[DataFrame], before: DataFrame | None) -> DataFrame:
    """Each allele beside what the catalogues have, one row each, by Spark's joins of narrow key columns.

    For file systems whose files tasks cannot open: the keys of both sides are shuffled. ``known`` are rows of
    ``known_variants`` of each catalogue, ``before`` those of ``novelty`` as it was.
    """
    frame = variants.select(*ALLELE_KEY, "first_callset_id")
    for place, rows in enumerate(known):
        alleles = rows.select(*ALLELE_KEY, F.col("known_id").alias(f"known_id_{place}"))
        alleles = alleles.withColumn("is_known", F.lit(1))
        sites = rows.groupBy(*_SITE).agg(F.count(F.lit(1)).alias("at_site"))
        frame = frame.join(alleles, list(ALLELE_KEY), "left").join(sites, list(_SITE), "left")
        is_known = F.coalesce("is_known", F.lit(0))
        frame = frame.withColumn(f"known_{place}", is_known > 0)
        frame = frame.withColumn(f"other_{place}", F.coalesce("at_site", F.lit(0)) > is_known)
        frame = frame.drop("is_known", "at_site")
    if before is None:
        return frame.withColumn("status_before", F.lit(None).cast("string"))
    statuses = before.select(*ALLELE_KEY, F.col("status").alias("status_before"))
    return frame.join(statuses, list(ALLELE_KEY), "left")
