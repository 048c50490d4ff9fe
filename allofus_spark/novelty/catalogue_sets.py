"""Sets of catalogues: which versions a set has now, and when that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import Row

from allofus_spark.cohort import newest_of_each, newest_revision
from allofus_spark.errors import BadSource, shown
from allofus_spark.genome.regions import merged
from allofus_spark.novelty.judge import Catalogue
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
    last = newest_revision(run, catalogue_set)
    if last is None:
        return Revision(catalogue_set, 1, chosen, is_new=True, before={})
    revision = Revision(catalogue_set, last.revision, chosen, is_new=False, before=dict(last.versions))
    if (dict(last.versions), dict(last.fingerprints)) == (revision.versions, revision.fingerprints):
        return revision
    return replace(revision, number=last.revision + 1, is_new=True)


def chosen_rows(held: Sequence[Row], asked: Mapping[str, str]) -> list[Row]:
    """Rows of ``catalogues``, by name: the versions asked for, or else the newest of each catalogue."""
    of_name = {(row.catalogue, row.version): row for row in held}
    if not of_name:
        raise BadSource("the warehouse holds no catalogue of known variants; run ingest-catalogue first")
    missing = [f"{name}={version}" for name, version in asked.items() if (name, version) not in of_name]
    if missing:
        there = [f"{name}={version}" for name, version in of_name]
        raise BadSource(f"no such catalogue: {shown(missing)}; there are: {shown(sorted(there))}")
    return [of_name[own] for own in sorted(asked.items())] if asked else newest_of_each(held)


def as_catalogue(row: Row) -> Catalogue:
    """A row of ``catalogues`` as judging needs it."""
    # delta-rs gives structs as dictionaries, Spark as rows; both take a name.
    covered = merged((item["contig"], item["first"], item["last"]) for item in row.covered)
    return Catalogue(row.catalogue, row.version, row.checksum, row.normalised_with, covered)
