"""Who withdrew consent: the list that every ingest honours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pyspark.sql import Column, Row
from pyspark.sql import functions as F

from allofus_spark.errors import shown
from allofus_spark.tables import WHOLE_TABLE, WITHDRAWALS, Reader, RowsWrite, Run

WITHDRAWN_COUNTER, WITHDRAWN_PERSONS_COUNTER = "samples_withdrawn", "persons_withdrawn"

Link = tuple[str, str]
"""Person and sample."""


@dataclass(frozen=True)
class Withdrawn:
    """Ids of ``withdrawals``: of samples, and of the persons that are known to be theirs."""

    samples: frozenset[str]
    persons: frozenset[str]

    def without(self, sample_ids: Iterable[str], counters: Counter[str]) -> list[str]:
        """The ids that did not withdraw, in order; the others are counted as ``samples_withdrawn``."""
        ids = list(sample_ids)
        kept = [name for name in ids if name not in self.samples]
        if len(kept) < len(ids):
            counters[WITHDRAWN_COUNTER] += len(ids) - len(kept)
        return kept

    def knowing(self, links: Iterable[Link]) -> Withdrawn:
        """The same with the persons of withdrawn samples among the links."""
        return replace(self, persons=self.persons | {who for who, name in links if name in self.samples})

    def linked(self, links: Iterable[Link], counters: Counter[str]) -> list[Link]:
        """The links of neither a sample nor a person who withdrew; the others are counted."""
        given = list(links)
        kept = [link for link in given if link[1] not in self.samples and link[0] not in self.persons]
        if len(kept) < len(given):
            counters[WITHDRAWN_COUNTER] += len(given) - len(kept)
        return kept

    def is_person(self, person_id: Column) -> Column:
        """Whether an id of a person, of any type, is that of one who withdrew."""
        return F.coalesce(person_id.cast("string").isin(sorted(self.persons)), F.lit(False))

    def is_sample(self, sample_id: Column) -> Column:
        """Whether a sample id is that of a person who withdrew."""
        return F.coalesce(sample_id.isin(sorted(self.samples)), F.lit(False))


def learned_writes(run: Run, links: Iterable[Link]) -> list[RowsWrite]:
    """The list with the persons that links name of its samples, where one was not known; tells of it.

    Says too which other samples such persons have: these are in the tables still.
    """
    held, given = run.rows(WITHDRAWALS), list(links)
    person_of = {sample_id: person_id for person_id, sample_id in given}
    rows = [
        row
        if row.person_id is not None
        else Row(**{**row.asDict(), "person_id": person_of.get(row.sample_id)})
        for row in held
    ]
    known = read_withdrawn(run).knowing(given)
    others = sorted(name for who, name in given if who in known.persons and name not in known.samples)
    if others:
        run.progress(
            f"warning: {len(others)} further samples are of people who withdrew: {shown(others)}; their "
            f"links are left out. Take the samples out too: allofus withdraw {' '.join(others[:3])} ..."
        )
    if rows == held:
        return []
    run.progress(
        "warning: it became known who the persons of withdrawn samples are; run allofus withdraw without "
        "ids, so that what is held of them goes too"
    )
    return [RowsWrite(WITHDRAWALS, [tuple(row) for row in rows], WHOLE_TABLE)]


def read_withdrawn(tables: Reader) -> Withdrawn:
    """The list as it stands; empty before the first withdrawal."""
    rows = tables.rows(WITHDRAWALS)
    persons = frozenset(row.person_id for row in rows if row.person_id is not None)
    return Withdrawn(frozenset(row.sample_id for row in rows), persons)
