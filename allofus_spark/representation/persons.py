"""``persons`` and ``person_samples`` from a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from allofus_spark.cohort import WITHDRAWN_PERSONS_COUNTER, ids_in_genotypes, learned_writes, read_withdrawn
from allofus_spark.errors import BadSamples, shown
from allofus_spark.representation.omop import record_spans
from allofus_spark.representation.person_file import PersonFile, read_person_file
from allofus_spark.tables import (
    PERSON_SAMPLES,
    PERSONS,
    WHOLE_TABLE,
    RowsWrite,
    Run,
    Warehouse,
    start_run,
)


def ingest_persons(
    warehouse: Warehouse,
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    samples_are_persons: bool = False,
) -> dict[str, int]:
    """Read the cohort's people from a TSV or CSV with a header, in the place of those held before.

    Parameters
    ----------
    path
        File with a column ``person_id`` and any of ``sample_id``, ``enrolled_on``,
        ``age_at_enrolment_years``, ``birth_date``, ``year_of_birth`` and the questions (see the table
        persons), whose answers are separated by ; or | where there are several.
    columns
        The file's name of a column where it is not the one above.
    samples_are_persons
        The file has no sample ids: a person whose id is that of a sample of an active callset has that one.

    Returns
    -------
    Counters of persons, samples, samples that are in no active callset, persons without a sample.

    Raises BadSamples where a value is not understood or contradicts another, a person has two different rows,
    a sample two persons, or ``samples_are_persons`` is said of a file with sample ids; nothing is written.
    """
    given = read_person_file(
        path,
        columns or {},
        warehouse.settings.representation.not_answered,
        last_day=dt.date.today() + dt.timedelta(days=1),  # it may be tomorrow where people enrol
    )
    if given.has_samples and samples_are_persons:
        raise BadSamples(f"{path} has sample ids of its own; leave --samples-are-persons out")
    with start_run(warehouse, "ingest_persons") as run:
        in_genotypes = ids_in_genotypes(run)
        links = dict(given.person_of_sample)
        if samples_are_persons:
            links = {person: person for person in given.persons if person in in_genotypes}
        given, links, learned = _without_withdrawn(run, given, links, samples_are_persons=samples_are_persons)
        _count(run, given, links, in_genotypes)
        _warn(run, given, links, in_genotypes, samples_are_persons=samples_are_persons)
        spans = _record_spans(run)
        rows = [
            (
                person_id,
                person.enrolled_on,
                person.age_at_enrolment_years,
                person.year_of_birth,
                *person.answers,
                list(given.not_asked),
                *spans.get(person_id, (None, None)),
            )
            for person_id, person in given.persons.items()
        ]
        linked = [(person_id, sample_id) for sample_id, person_id in links.items()]
        people = RowsWrite(PERSONS, rows, WHOLE_TABLE), RowsWrite(PERSON_SAMPLES, linked, WHOLE_TABLE)
        run.write(*people, *learned)
        return dict(run.counters)


def _without_withdrawn(
    run: Run, given: PersonFile, links: Mapping[str, str], *, samples_are_persons: bool
) -> tuple[PersonFile, dict[str, str], list[RowsWrite]]:
    """The file and the persons of samples without who withdrew; and what the file tells of these."""
    pairs = [(person_id, sample_id) for sample_id, person_id in links.items()]
    withdrawn = read_withdrawn(run).knowing(pairs)
    if not withdrawn.samples:
        return given, dict(links), []
    out = withdrawn.persons | (withdrawn.samples if samples_are_persons else frozenset())
    persons = {name: person for name, person in given.persons.items() if name not in out}
    run.counters[WITHDRAWN_PERSONS_COUNTER] = len(given.persons) - len(persons)
    kept = {sample_id: person_id for person_id, sample_id in withdrawn.linked(pairs, run.counters)}
    return replace(given, persons=persons), kept, learned_writes(run, pairs)


def _record_spans(run: Run) -> dict[str, tuple[dt.date, dt.date]]:
    """First and last day of records by person."""
    spans = record_spans(run)
    rows = spans.select("person_id", "records_from", "records_to").collect() if spans is not None else []
    return {person_id: (first, last) for person_id, first, last in rows}


def _count(run: Run, given: PersonFile, links: Mapping[str, str], in_genotypes: set[str]) -> None:
    run.counters.update(
        persons=len(given.persons),
        samples=len(links),
        samples_not_in_an_active_callset=len(links.keys() - in_genotypes),
        persons_without_sample=len(given.persons) - len(set(links.values())),
        persons_without_enrolment_date=sum(person.enrolled_on is None for person in given.persons.values()),
        categories_not_asked=len(given.not_asked),
    )


def _warn(
    run: Run,
    given: PersonFile,
    links: Mapping[str, str],
    in_genotypes: set[str],
    *,
    samples_are_persons: bool,
) -> None:
    """Say what of the file may not be as its author meant it."""
    days = [person.enrolled_on for person in given.persons.values() if person.enrolled_on is not None]
    if days:
        run.progress(f"enrolled between {min(days)} and {max(days)}")
    if given.not_asked:
        run.progress(f"warning: the file has no column for {', '.join(given.not_asked)}: not asked")
    if given.not_used:
        run.progress(
            f"warning: {len(given.not_used)} columns of the file are not used: {shown(given.not_used)}; say "
            "what they are with --column, such as --column income=NAME"
        )
    unknown = [sample_id for sample_id in links if sample_id not in in_genotypes]
    if unknown:
        run.progress(
            f"warning: {len(unknown)} of {len(links)} samples are in no active callset: {shown(unknown)}; "
            "they count once their genotypes are ingested"
        )
    if not links and samples_are_persons:
        run.progress(
            f"warning: none of {len(given.persons)} persons has the id of a sample of an active callset; "
            "ingest genotypes first, then persons again"
        )
    elif not links:
        run.progress(
            "warning: no person is linked to a sample; give a column sample_id, or --samples-are-persons "
            "where the ids of persons are those of samples of the callsets"
        )
