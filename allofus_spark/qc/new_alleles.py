"""Which alleles a set of catalogues was found not to have, beside the calls of samples.

Tasks look ``novelty`` up in its files, so that no packed call is shuffled. Where they cannot open them Spark
joins the status to the rows of ``genotypes``, calls and all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.cohort import check_flagged
from allofus_spark.cohort.allele_files import AlleleFiles
from allofus_spark.errors import BadSource, shown
from allofus_spark.tables import (
    ALLELE_KEY,
    CATALOGUE_SETS,
    NOVELTY,
    Partition,
    Run,
    paths_by_partition,
)
from allofus_spark.tables.novelty_tables import NEW_STATUSES

_STATUS = "novelty_status"
_NEW = pa.array(NEW_STATUSES)


@dataclass(frozen=True)
class NewAlleles:
    """Where the status of alleles is found; goes to the workers by pickle.

    ``paths`` are files of ``novelty`` by (contig, bin); None: the status stands beside the calls.
    """

    catalogue_set: str
    paths: Mapping[Partition, Sequence[str]] | None

    def beside(self, genotypes: DataFrame, novelty: DataFrame) -> DataFrame:
        """Rows of ``genotypes``, with the status where tasks cannot look it up."""
        if self.paths is not None:
            return genotypes
        own = novelty.where(F.col("catalogue_set") == self.catalogue_set)
        statuses = own.select(*ALLELE_KEY, F.col("status").alias(_STATUS))
        return genotypes.join(statuses, list(ALLELE_KEY), "left")

    def reader(self) -> NewAlleleReader:
        """A reader for one task."""
        return NewAlleleReader(self.paths)


class NewAlleleReader:
    """Looks alleles up, and keeps the files of the last partition open."""

    def __init__(self, paths: Mapping[Partition, Sequence[str]] | None) -> None:
        self._paths = paths
        self._open: tuple[Partition, AlleleFiles] | None = None

    def is_new(self, partition: Partition, rows: pa.RecordBatch) -> npt.NDArray[np.bool_]:
        """bool[rows]: whether catalogues were compared with, and none has the allele."""
        if self._paths is None:
            status = rows.column(_STATUS)
        else:
            if self._open is None or self._open[0] != partition:
                self._open = partition, AlleleFiles(self._paths.get(partition, ()), ["status"])
            status = self._open[1].find(rows).values["status"]
        return np.asarray(pc.is_in(status, _NEW))


def new_alleles(run: Run, catalogue_set: str | None) -> NewAlleles | None:
    """Where alleles that are new to a set of catalogues are found; None where no set was chosen.

    Raises BadSource where novelty was not flagged with that set, or before other variants came in.
    """
    if catalogue_set is None:
        return None
    held = sorted({row.catalogue_set for row in run.rows(CATALOGUE_SETS)})
    if catalogue_set not in held:
        there = f"there are: {shown(held)}" if held else "there is none"
        raise BadSource(f"no catalogue set {catalogue_set}; {there}. Run flag-novelty first")
    check_flagged(run, catalogue_set)
    if run.warehouse.local_root is None:
        return NewAlleles(catalogue_set, None)
    paths = paths_by_partition(run.files(NOVELTY), "catalogue_set")
    own = {
        (str(contig), int(number)): files
        for (held, contig, number), files in paths.items()
        if held == catalogue_set
    }
    return NewAlleles(catalogue_set, own)
