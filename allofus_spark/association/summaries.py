"""``association_summaries``: the sums of all tasks, and what is known of each model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema

from allofus_spark.association.parts import PARTS, WIDTHS
from allofus_spark.regression.histogram import lambda_gc
from allofus_spark.regression.models import SCANNED, STATUS_NAMES, TEST_NAMES, Fit
from allofus_spark.tables import ASSOCIATION_SUMMARIES, Run
from allofus_spark.tables.association_tables import META, QQ_EDGES
from allofus_spark.tables.phenotype_tables import ALL_ANCESTRIES, BINARY_KIND, QUANTITATIVE_KIND

_PAIR = ("phenotype_id", "ancestry")
_SCHEMA = to_arrow_schema(ASSOCIATION_SUMMARIES.schema)

Pair = tuple[str, str]
"""Phenotype and ancestry."""


class About(NamedTuple):
    """What a summary says of a model."""

    is_binary: bool
    status: str
    n: int
    n_cases: int
    n_controls: int
    n_no_covariate: int
    covariates: tuple[str, ...]
    dropped: tuple[str, ...]


def about_fits(fits: Mapping[str, Sequence[Fit]]) -> dict[Pair, About]:
    """Of each phenotype and ancestry, and meta, by the fits of each ancestry."""
    about = {(fit.phenotype_id, ancestry): _about(fit) for ancestry, own in fits.items() for fit in own}
    for phenotype_id in {fit.phenotype_id for own in fits.values() for fit in own}:
        joined = [
            own
            for ancestry in fits
            if ancestry != ALL_ANCESTRIES
            if (own := about[phenotype_id, ancestry]).status == SCANNED
        ]
        if joined:
            sums = {name: sum(getattr(own, name) for own in joined) for name in About._fields[2:6]}
            about[phenotype_id, META] = joined[0]._replace(**sums, covariates=(), dropped=())
    return about


def _about(fit: Fit) -> About:
    dropped = tuple(f"{name}: {why}" for name, why in fit.dropped)
    return About(
        fit.is_binary, fit.status, fit.n_people, fit.n_cases, fit.n_controls, fit.n_no_covariate,
        fit.covariates, dropped,
    )  # fmt: skip


def parts_by_phenotype(run: Run, parts: Sequence[DataFrame], about: Mapping[Pair, About]) -> DataFrame:
    """The sums of all tasks, a phenotype's together, and of each phenotype and ancestry a row without."""
    spark, settings = run.warehouse.spark, run.warehouse.settings
    pairs = spark.createDataFrame(sorted(about), "phenotype_id string, ancestry string")
    seeds = pairs.unionByName(spark.createDataFrame([], PARTS.schema), allowMissingColumns=True)
    together = reduce(DataFrame.unionByName, [*parts, seeds.select(*PARTS.schema.names)])
    return together.repartition(settings.spark.shuffle_partitions, "phenotype_id")


class _Sums:
    """Sums of one phenotype and ancestry."""

    def __init__(self) -> None:
        self.counts: dict[str, npt.NDArray[np.int64]] = {
            name: np.zeros(width, np.int64) for name, width in WIDTHS.items()
        }
        self.n_genome_wide = 0
        self.most: float | None = None

    def add(self, row: Mapping[str, pa.Scalar]) -> None:
        """Add what a task counted."""
        for name, own in self.counts.items():
            own += np.asarray(row[name].values)
        self.n_genome_wide += row["n_genome_wide"].as_py()
        most = row["max_neg_log10_p"].as_py()
        if most is not None:
            self.most = most if self.most is None else max(self.most, most)


@dataclass(frozen=True)
class Summaries:
    """Sums of tasks to rows of ``association_summaries``; goes to the workers by pickle."""

    scan: str
    about: Mapping[Pair, About]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        sums: dict[Pair, _Sums] = {}
        for batch in batches:
            columns = {name: batch.column(name) for name in PARTS.schema.names}
            for row, pair in enumerate(zip(*(columns[name].to_pylist() for name in _PAIR), strict=True)):
                own = sums.setdefault(pair, _Sums())
                if columns["counts"][row].is_valid:
                    own.add({name: column[row] for name, column in columns.items() if name not in _PAIR})
        if sums:
            rows = [self._row(pair, sums[pair]) for pair in sorted(sums)]
            yield ASSOCIATION_SUMMARIES.name, pa.RecordBatch.from_pylist(rows, _SCHEMA)

    def _row(self, pair: Pair, sums: _Sums) -> dict[str, object]:
        phenotype_id, ancestry = pair
        about = self.about[pair]
        counts = sums.counts["counts"]
        return {
            "scan": self.scan,
            "phenotype_id": phenotype_id,
            "ancestry": ancestry,
            "kind": BINARY_KIND if about.is_binary else QUANTITATIVE_KIND,
            "status": about.status,
            "n": about.n,
            "n_cases": about.n_cases if about.is_binary else None,
            "n_controls": about.n_controls if about.is_binary else None,
            "n_no_covariate": about.n_no_covariate,
            "covariates": list(about.covariates),
            "dropped_covariates": list(about.dropped),
            "n_tested": int(counts.sum()),
            "n_by_status": _named(STATUS_NAMES, sums.counts["by_status"]),
            "n_by_test": _named(TEST_NAMES, sums.counts["by_test"]),
            "lambda_gc": _lambda_gc(counts),
            "lambda_gc_common": _lambda_gc(sums.counts["common_counts"]),
            "n_genome_wide": sums.n_genome_wide,
            "max_neg_log10_p": sums.most,
            "neg_log10_p_counts": counts.tolist(),
        }


def _named(names: Sequence[str], counts: npt.NDArray[np.int64]) -> list[tuple[str, int]]:
    """Counters that are not zero, as a map of Arrow."""
    return [(name, int(count)) for name, count in zip(names, counts, strict=True) if count]


def _lambda_gc(counts: npt.NDArray[np.int64]) -> float | None:
    found = float(lambda_gc(counts[:, None], QQ_EDGES)[0])
    return None if np.isnan(found) else found
