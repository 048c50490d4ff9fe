"""Associations: carriers among cases and controls by their frequencies, and people left out of a scan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from allofus_spark.disclosure.cells import Floats, copies_by_rate
from allofus_spark.disclosure.findings import Verification
from allofus_spark.disclosure.people import Bounds, Ints, half_up, within
from allofus_spark.disclosure.rows import BATCH_ROWS
from allofus_spark.disclosure.tables import Published, Row, by_columns, read_product
from allofus_spark.published import ALL, table_files

Interval = tuple[int, int]
PRODUCT = "associations"
SUMMARIES = "association_summaries"
COUNTS = ("n", "n_cases", "n_controls")
_PEOPLE = {"af": "n", "af_cases": "n_cases", "af_controls": "n_controls"}
_GROUPS = {"n": "analysed", "n_cases": "cases", "n_controls": "controls"}
_KEY = ("scan", "phenotype_id", "ancestry", "contig", "position", "ref", "alt")


class _Few(NamedTuple):
    """Few carriers at a row of a batch."""

    place: int
    quantity: str
    group: str
    bounds: Interval
    how: str


def attack_associations(release: Path, round_to: int, result: Verification) -> None:
    """Add what follows from the rows of associations and of their meta-analysis."""
    for product in (PRODUCT, "meta_associations"):
        for file in table_files(release, product):
            parquet = pq.ParquetFile(file)
            names = [name for name in parquet.schema_arrow.names if name in {*_PEOPLE, *COUNTS, "ac", "an"}]
            keys = [name for name in _KEY if name in parquet.schema_arrow.names]
            for batch in parquet.iter_batches(BATCH_ROWS, columns=[*keys, *names]):
                columns = {
                    name: batch.column(name).cast("float64").to_numpy(zero_copy_only=False) for name in names
                }
                for few in _frequencies(product, columns, round_to, result):
                    row = " ".join(str(batch.column(name)[few.place].as_py()) for name in keys)
                    result.told(product, row, few.quantity, (few.group,), few.bounds, few.how)


def _frequencies(
    product: str, columns: Mapping[str, Floats], round_to: int, result: Verification
) -> Iterator[_Few]:
    """Copies of alt and of ref by AC, or by a frequency times the people it is of."""
    for people, group in _GROUPS.items():
        frequency = next(name for name, of in _PEOPLE.items() if of == people)
        if people not in columns:
            continue
        n = _interval(columns[people], round_to)
        an = Bounds(2 * n.lo, 2 * n.hi)
        copies: list[tuple[str, Bounds, Floats]] = []
        if frequency in columns:
            rate = columns[frequency]
            low, high = (copies_by_rate(rate, side.astype(np.float64), 1.0) for side in an)
            copies.append((f"as {frequency} × 2 {people}", _whole(low[:, 0], high[:, 1]), rate))
        if people == "n" and "ac" in columns:
            copies.append(("as ac", _whole(columns["ac"], columns["ac"]), columns["ac"]))
        for how, alt, shown in copies:
            ref = Bounds(np.maximum(an.lo - alt.hi, 0), an.hi - alt.lo)
            for allele, bounds in (("alt", alt), ("ref", ref)):
                result.try_kind(product, "carriers by frequencies", len(shown))
                carriers = Bounds(half_up(bounds.lo), np.minimum(bounds.hi, n.hi))
                for place in np.flatnonzero(within(carriers, result.floor) & ~np.isnan(shown)):
                    few = int(carriers.lo[place]), int(carriers.hi[place])
                    yield _Few(int(place), f"carriers of {allele}", group, few, how)


def _whole(low: Floats, high: Floats) -> Bounds:
    return Bounds(np.nan_to_num(low).astype(np.int64), np.nan_to_num(high).astype(np.int64))


def _interval(counts: Floats, round_to: int) -> Bounds:
    """What counts stand for: rounded where every one is a multiple."""
    hi: Ints = np.nan_to_num(counts).astype(np.int64)
    exact = bool((hi % round_to).any())
    return Bounds(hi if exact else np.maximum(hi - round_to + 1, 0), hi)


def attack_analysed(release: Path, round_to: int, result: Verification) -> None:
    """Add people of all in no ancestry of a scan, cases and controls apart, and cases not analysed."""
    table = read_product(release, SUMMARIES, round_to, COUNTS)
    phenotypes = read_product(release, "phenotypes", round_to, COUNTS[1:])
    people = {(row["phenotype_id"], row["ancestry"]): row for row in phenotypes.rows}
    for (scan, phenotype), rows in by_columns(table.rows, "scan", "phenotype_id").items():
        for column in COUNTS:
            for ancestry, whole, part, how in _wholes(table, rows, phenotypes, people, column):
                result.try_kind(SUMMARIES, "people left out of a scan", 1)
                left = whole[0] - part[1], whole[1] - part[0]
                result.told(SUMMARIES, f"{scan} {phenotype}", _GROUPS[column], (ancestry,), left, how)


def _wholes(
    table: Published,
    rows: Sequence[Row],
    phenotypes: Published,
    people: Mapping[tuple[str, str], Row],
    column: str,
) -> Iterator[tuple[str, Interval, Interval, str]]:
    """Ancestry, a count, one of some of its people, and what the difference is."""
    counted = {row["ancestry"]: row for row in rows if row.get(column) is not None}
    own = {ancestry: table.interval(row, column) for ancestry, row in counted.items()}
    parts = [interval for ancestry, interval in own.items() if ancestry not in (ALL, "meta")]
    if ALL in own:
        total = (sum(lo for lo, _ in parts), sum(hi for _, hi in parts))
        yield ALL, own[ALL], total, "in no ancestry, as all minus the ancestries"
    for ancestry, interval in own.items():
        other = people.get((counted[ancestry]["phenotype_id"], ancestry))
        if other is not None and other.get(column) is not None:
            yield (
                ancestry,
                phenotypes.interval(other, column),
                interval,
                "not analysed, as phenotypes minus n",
            )
