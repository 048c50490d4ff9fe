"""``association_summaries``: the sums of all tasks, and what is known of each model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema

from allofus_spark.arrow import collect, matrix_of
from allofus_spark.association.parts import PARTS, WIDTHS
from allofus_spark.regression.histogram import lambda_gc
from allofus_spark.regression.models import SCANNED, STATUS_NAMES, TEST_NAMES, Fit
from allofus_spark.tables import Aside, Run
from allofus_spark.tables.association_tables import META, QQ_EDGES
from allofus_spark.tables.phenotype_tables import ALL_ANCESTRIES, BINARY_KIND, QUANTITATIVE_KIND

_PAIR = ("phenotype_id", "ancestry")
_MOST_PARTS = 50_000  # that the driver adds up by itself, of 5 KiB each

Counts = npt.NDArray[np.int64]
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


def summary_rows(
    run: Run, scan: str, parts: Sequence[Aside], about: Mapping[Pair, About]
) -> list[dict[str, Any]]:
    """Rows of ``association_summaries`` in key order: the sums of all tasks by phenotype and ancestry."""
    sums = _summed(_few_parts(run, parts))
    return [_row(scan, pair, about[pair], sums.get(pair) or _Sums()) for pair in sorted(about)]


def ranked(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Summaries by hits and p, most and smallest first."""

    def rank(row: Mapping[str, Any]) -> tuple[float, float]:
        most = row["max_neg_log10_p"]
        return -row["n_genome_wide"], 1 if most is None else -most

    return sorted(rows, key=rank)


def _few_parts(run: Run, parts: Sequence[Aside]) -> Iterator[pa.RecordBatch]:
    """Parts as the driver can add them up; tasks do so first where there are many."""
    held = [part.batches() for part in parts]
    if None not in held and sum(part.count() for part in parts) <= _MOST_PARTS:
        return chain.from_iterable(filter(None, held))
    together = reduce(DataFrame.unionByName, [part.frame for part in parts])
    spread = together.repartition(run.warehouse.settings.spark.shuffle_partitions, *_PAIR)
    return iter(collect(spread.mapInArrow(_added_up, PARTS.schema)).to_batches())


def _added_up(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """One part of each phenotype and ancestry."""
    sums = _summed(batches)
    if sums:
        rows = [{**dict(zip(_PAIR, pair, strict=True)), **own.as_part()} for pair, own in sums.items()]
        yield pa.RecordBatch.from_pylist(rows, to_arrow_schema(PARTS.schema))


def _summed(batches: Iterable[pa.RecordBatch]) -> dict[Pair, _Sums]:
    sums: dict[Pair, _Sums] = {}
    for batch in batches:
        counts = {name: matrix_of(batch.column(name)) for name in WIDTHS}
        others = (batch.column(name).to_pylist() for name in (*_PAIR, "n_genome_wide", "max_neg_log10_p"))
        for row, (phenotype_id, ancestry, n_genome_wide, most) in enumerate(zip(*others, strict=True)):
            own = sums.setdefault((phenotype_id, ancestry), _Sums())
            own.add({name: matrix[row] for name, matrix in counts.items()}, n_genome_wide, most)
    return sums


class _Sums:
    """Sums of one phenotype and ancestry."""

    def __init__(self) -> None:
        self.counts: dict[str, Counts] = {name: np.zeros(width, np.int64) for name, width in WIDTHS.items()}
        self.n_genome_wide = 0
        self.most: float | None = None

    def add(self, counts: Mapping[str, Counts], n_genome_wide: int, most: float | None) -> None:
        """Add what a task counted."""
        for name, own in self.counts.items():
            own += counts[name]
        self.n_genome_wide += n_genome_wide
        if most is not None:
            self.most = most if self.most is None else max(self.most, most)

    def as_part(self) -> dict[str, object]:
        """As a task's."""
        return {**self.counts, "n_genome_wide": self.n_genome_wide, "max_neg_log10_p": self.most}


def _row(scan: str, pair: Pair, about: About, sums: _Sums) -> dict[str, object]:
    phenotype_id, ancestry = pair
    counts = sums.counts["counts"]
    return {
        "scan": scan,
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


def _named(names: Sequence[str], counts: Counts) -> dict[str, int]:
    """Counters that are not zero."""
    return {name: int(count) for name, count in zip(names, counts, strict=True) if count}


def _lambda_gc(counts: Counts) -> float | None:
    found = float(lambda_gc(counts[:, None], QQ_EDGES)[0])
    return None if np.isnan(found) else found
