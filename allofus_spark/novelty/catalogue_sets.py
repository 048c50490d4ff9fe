"""Sets of catalogues: which versions a set has now, and when that changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pyspark.sql import Row

from allofus_spark.errors import BadSource, shown
from allofus_spark.novelty.judge import Catalogue, Intervals
from allofus_spark.tables import CATALOGUE_SETS, CATALOGUES, RowsWrite, Run, check_name


@dataclass(frozen=True)
class Revision:
    """A set of catalogues as it is now; ``is_new``: the table has it not yet. ``before``: versions then."""

    catalogue_set: str
    number: int
    catalogues: Sequence[Catalogue]
    is_new: bool
    before: Mapping[str, str]

    @property
    def versions(self) -> dict[str, str]:
        return {catalogue.name: catalogue.version for catalogue in self.catalogues}

    @property
    def fingerprints(self) -> dict[str, str]:
        return {catalogue.name: catalogue.fingerprint for catalogue in self.catalogues}

    def write(self) -> list[RowsWrite]:
        """The append of a new revision."""
        if not self.is_new:
            return []
        row = (self.catalogue_set, self.number, self.versions, self.fingerprints)
        return [RowsWrite(CATALOGUE_SETS, [row])]

    def changes(self) -> list[str]:
        """What the revision changed, in words."""
        names = sorted({*self.before, *self.versions})
        changed = [
            f"{name} {self.before.get(name, 'none')} → {self.versions.get(name, 'none')}"
            for name in names
            if self.before.get(name) != self.versions.get(name)
        ]
        return changed or ["the same versions with other files, coverage or alignment"]


def current_revision(run: Run, catalogue_set: str, asked: Mapping[str, str]) -> Revision:
    """The set with the versions ``asked`` for, or without them the newest of every catalogue.

    Raises BadSource where a catalogue or version is not held, or none is.
    """
    check_name("catalogue set", catalogue_set)
    chosen = [as_catalogue(row) for row in chosen_rows(run.rows(CATALOGUES), asked)]
    earlier = [row for row in run.rows(CATALOGUE_SETS) if row.catalogue_set == catalogue_set]
    last = max(earlier, key=lambda row: row.revision, default=None)
    if last is None:
        return Revision(catalogue_set, 1, chosen, is_new=True, before={})
    revision = Revision(catalogue_set, last.revision, chosen, is_new=False, before=dict(last.versions))
    if (dict(last.versions), dict(last.fingerprints)) == (revision.versions, revision.fingerprints):
        return revision
    return replace(revision, number=last.revision + 1, is_new=True)


def chosen_rows(held: Sequence[Row], asked: Mapping[str, str]) -> list[Row]:
    """Rows of ``catalogues``, by name: the versions asked for, or else the newest of each catalogue.

    The newest has the latest date, the last version in the order of texts where dates are equal or absent.
    """
    of_name: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in held:
        of_name[row.catalogue][row.version] = row
    if not of_name:
        raise BadSource("the warehouse holds no catalogue of known variants; run ingest-catalogue first")
    missing = [f"{name}={version}" for name, version in asked.items() if version not in of_name.get(name, {})]
    if missing:
        there = [f"{row.catalogue}={row.version}" for row in held]
        raise BadSource(f"no such catalogue: {shown(missing)}; there are: {shown(sorted(there))}")
    if asked:
        return [of_name[name][version] for name, version in sorted(asked.items())]
    return [
        max(versions.values(), key=lambda row: (str(row.catalogue_date or ""), row.version))
        for _, versions in sorted(of_name.items())
    ]


def as_catalogue(row: Row) -> Catalogue:
    """A row of ``catalogues`` as judging needs it."""
    by_contig: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for item in row.covered:
        # delta-rs gives structs as dictionaries, Spark as rows; both take a name.
        by_contig[item["contig"]].append((item["first"], item["last"]))
    covered: dict[str, Intervals] = {}
    for contig, intervals in by_contig.items():
        ends = np.array(sorted(intervals), np.int64)
        covered[contig] = ends[:, 0].copy(), ends[:, 1].copy()
    return Catalogue(row.catalogue, row.version, row.checksum, row.normalised_with, covered)
