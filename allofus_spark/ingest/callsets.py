"""Which callsets a warehouse holds, and whether a new one may come in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from pyspark.sql import Row

from allofus_spark.errors import BadSamples, BadSource, shown
from allofus_spark.ingest.source import Source
from allofus_spark.tables import CALLSETS, SAMPLES, Run, check_name


def check_callset_id(callset_id: str) -> None:
    """Raise BadSource unless the id can name a partition."""
    check_name("callset id", callset_id)


def parse_date(text: str, what: str = "callset date") -> dt.date:
    """A declared date; raises BadSource."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise BadSource(f"{what} {text!r}: give it as YYYY-MM-DD") from None


def held_callsets(run: Run) -> dict[str, Row]:
    """The warehouse's callsets by id."""
    return {row.callset_id: row for row in run.rows(CALLSETS)}


def check_may_come_in(
    held: dict[str, Row], source: Source, *, callset_id: str, replace: bool, replaces: str | None
) -> None:
    """Raise BadSource where the id is taken by other sources, or the callset to be replaced is not there."""
    same = held.get(callset_id)
    if same is not None and same.source_fingerprint != source.fingerprint and not replace:
        raise BadSource(
            f"callset {callset_id} is in the warehouse already, made from other files "
            f"({same.n_samples} samples, {len(same.source_files)} files); "
            "give another --callset, or --replace to put these files in its place"
        )
    if replaces is not None and (replaces not in held or replaces == callset_id):
        raise BadSource(
            f"--replaces {replaces}: no other callset of that id; there are: {shown(sorted(held))}"
        )


def held_samples(run: Run, callset_id: str) -> dict[str, Row]:
    """Rows of ``samples`` of the callset, from sample files or an earlier ingest, by sample id."""
    return {row.sample_id: row for row in run.rows(SAMPLES) if row.callset_id == callset_id}


def is_described(sample: Row) -> bool:
    """Whether a sample file has said anything about a row of ``samples``."""
    return sample.sex_karyotype is not None or sample.ancestry is not None


def count_described(
    run: Run, callset_id: str, described: Collection[str], in_genotypes: Collection[str]
) -> None:
    """Count the samples that a sample file and the genotypes share, and warn of those that only one has."""
    strangers = sorted(set(described) - set(in_genotypes))
    silent = sorted(set(in_genotypes) - set(described))
    run.counters.update(
        samples_described=len(described),
        samples_matched=len(described) - len(strangers),
        samples_without_genotypes=len(strangers),
        samples_not_described=len(silent),
    )
    if not in_genotypes:
        run.progress(f"callset {callset_id} has no genotypes yet; its samples wait for them")
        return
    if strangers:
        run.progress(
            f"warning: {len(strangers)} described samples are not in the genotypes of {callset_id}: "
            f"{shown(strangers)}"
        )
    if silent:
        run.progress(
            f"warning: nothing is known about {len(silent)} samples of {callset_id} (no sex karyotype, no "
            f"ancestry): {shown(silent)}; give them values by allofus ingest-samples"
        )


def check_overlap(
    run: Run, held: dict[str, Row], samples: Sequence[str], *, callset_id: str, replaces: str | None
) -> None:
    """Raise BadSamples where a sample is active in another callset already."""
    others = {
        name for name, row in held.items() if row.retired_by is None and name not in (callset_id, replaces)
    }
    wanted = set(samples)
    taken: dict[str, list[str]] = {}
    for row in run.rows(SAMPLES) if others else ():
        if row.callset_id in others and row.sample_index is not None and row.sample_id in wanted:
            taken.setdefault(row.callset_id, []).append(row.sample_id)
    if taken:
        named = "; ".join(
            f"{len(names)} in callset {other}: {shown(sorted(names))}"
            for other, names in sorted(taken.items())
        )
        raise BadSamples(
            f"samples are active in other callsets already ({named}); a sample counts once. "
            "Leave them out, or retire the other callset with --replaces CALLSET."
        )
