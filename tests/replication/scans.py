"""A scan as plain values, and the tables that say the same."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from allofus_spark.genome import build_as_text, load_build, variant_id
from allofus_spark.tables import (
    ASSOCIATION_SUMMARIES,
    ASSOCIATIONS,
    BIN_WIDTH_PROPERTY,
    BUILD_PROPERTY,
    CALLSETS,
    PHENOTYPE_DEFINITIONS,
    VARIANTS,
    WHOLE_TABLE,
    RowsWrite,
    Warehouse,
    start_run,
)

BIN_WIDTH = 10_000_000
SCAN = "default"
Allele = tuple[str, int, str, str]


class Fit(NamedTuple):
    """A test of an allele: its beta by copy of alt; beta None: ``status`` says why there is none."""

    allele: Allele
    phenotype: str
    ancestry: str
    beta: float | None = None
    se: float | None = None
    neg_log10_p: float | None = None
    af: float = 0.3
    status: str = "ok"


class Scanned(NamedTuple):
    """A phenotype in an ancestry; ``n_more``: tests that are not stored."""

    phenotype: str
    ancestry: str
    n_cases: int | None
    n_controls: int | None
    kind: str = "binary"
    status: str = "scanned"
    n_more: int = 0


def put_cohort(warehouse: Warehouse, alleles: Iterable[Allele], build: str = "GRCh38") -> None:
    """A callset of a build with these alleles."""
    properties = {BUILD_PROPERTY: build_as_text(load_build(build)), BIN_WIDTH_PROPERTY: str(BIN_WIDTH)}
    callset = ("c1", dt.date(2026, 1, 1), build, 1, "", "", [], None, [], None)
    rows = [(*_key(allele), variant_id(*allele), "snv", "c1") for allele in sorted(set(alleles))]
    with start_run(warehouse, "put") as run:
        run.write(
            RowsWrite(CALLSETS, [callset], WHOLE_TABLE, properties),
            RowsWrite(VARIANTS, rows, WHOLE_TABLE),
        )


def put_scan(
    warehouse: Warehouse,
    fits: Iterable[Fit],
    scanned: Iterable[Scanned],
    *,
    definition: str = "",
    name: str = SCAN,
) -> None:
    """Rows of a scan, its summaries, and the definitions of its phenotypes."""
    fits, scanned = list(fits), list(scanned)
    people = {(item.phenotype, item.ancestry): item for item in scanned}
    rows = []
    for fit in fits:
        own = people[fit.phenotype, fit.ancestry]
        n = (own.n_cases or 0) + (own.n_controls or 0)
        counts = (n, own.n_cases, own.n_controls, round(2 * n * fit.af), 2 * n, fit.af, None, None)
        test = "score" if fit.status == "ok" else None
        rows.append(
            (
                *(name, *_key(fit.allele), fit.phenotype, fit.ancestry),
                *(fit.beta, fit.se, fit.neg_log10_p, *counts, test, fit.status),
            )
        )
    summaries = []
    for item in scanned:
        statuses = Counter(
            fit.status for fit in fits if (fit.phenotype, fit.ancestry) == (item.phenotype, item.ancestry)
        )
        statuses["ok"] += item.n_more
        summaries.append(
            (
                *(name, item.phenotype, item.ancestry, item.kind, item.status),
                *((item.n_cases or 0) + (item.n_controls or 0), item.n_cases, item.n_controls, 0, [], []),
                *(statuses["ok"], dict(statuses), {}, None, None, 0, None, []),
            )
        )
    definitions = [
        ("made_up", phenotype, "binary", phenotype, None, None, "both", "control", definition, "0")
        for phenotype in sorted({item.phenotype for item in scanned})
    ]
    with start_run(warehouse, "put") as run:
        run.write(
            RowsWrite(ASSOCIATIONS, rows, f"scan = '{name}'"),
            RowsWrite(ASSOCIATION_SUMMARIES, summaries, f"scan = '{name}'"),
            RowsWrite(PHENOTYPE_DEFINITIONS, definitions, "phenotype_set = 'made_up'"),
        )


def _key(allele: Allele) -> tuple[str, int, int, str, str]:
    contig, position, ref, alt = allele
    return contig, position // BIN_WIDTH, position, ref, alt
