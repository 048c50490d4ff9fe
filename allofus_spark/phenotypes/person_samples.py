"""Which samples are whose: a file of persons and samples, held against both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.cohort import ids_in_genotypes
from allofus_spark.delimited import places_of, read_table
from allofus_spark.errors import BadSamples, shown
from allofus_spark.tables import Run

_COLUMNS = ("person_id", "sample_id")

Link = tuple[str, str]
"""Person and sample."""


def read_person_samples(path: str, *, one_sample_each: bool) -> list[Link]:
    """Links of a TSV or CSV with person_id and sample_id, each once.

    Raises BadSamples naming lines without one of both, samples of two persons and, where each person has one
    sample, persons with several.
    """
    header, rows = read_table(path, "person_id")
    place = places_of(path, header, _COLUMNS, {}, _COLUMNS)
    persons: dict[str, str] = {}
    shared: dict[str, None] = {}
    problems = []
    for number, row in rows:
        if len(row) != len(header):
            problems.append(f"line {number} has {len(row)} fields, not {len(header)}")
            continue
        person_id, sample_id = (row[place[name]].strip() for name in _COLUMNS)
        if not person_id or not sample_id:
            problems.append(f"line {number} has no {'person_id' if not person_id else 'sample_id'}")
        elif persons.setdefault(sample_id, person_id) != person_id:
            shared[sample_id] = None
    if problems:
        raise BadSamples(f"{path}: {len(problems)} bad rows, nothing was written: {shown(problems)}")
    if shared:
        raise BadSamples(
            f"{path}: {len(shared)} samples belong to two persons, nothing was written: "
            f"{shown(list(shared))}; a sample has one person"
        )
    if not persons:
        raise BadSamples(f"{path}: a header and no samples, nothing was written")
    links = [(person_id, sample_id) for sample_id, person_id in persons.items()]
    if one_sample_each and (several := _with_several(links)):
        raise BadSamples(
            f"{path}: {len(several)} persons have more than one sample, nothing was written: "
            f"{shown(several)}; leave one of each, or --one-sample-each out"
        )
    return links


def sample_links(run: Run, links: Sequence[Link], persons: DataFrame) -> list[Link]:
    """Links whose person is in omop_person; the others are counted and named.

    Raises BadSamples where none is left.
    """
    spark = run.warehouse.spark
    named = spark.createDataFrame([(person_id,) for person_id, _ in links], "person_id string").distinct()
    known_ids = persons.select(F.col("person_id").cast("string").alias("person_id"))
    known = {row.person_id for row in named.join(known_ids, "person_id", "left_semi").collect()}
    unknown = sorted({person_id for person_id, _ in links if person_id not in known})
    kept = [link for link in links if link[0] in known]
    if not kept:
        raise BadSamples(
            f"none of {len(unknown)} persons of the samples is in omop_person: {shown(unknown)}; nothing was "
            "written"
        )
    n_left = len(links) - len(kept)
    if unknown:
        run.progress(
            f"warning: {len(unknown)} persons of {n_left} samples are not in omop_person: {shown(unknown)}; "
            "their samples are left out"
        )
    several = _with_several(kept)
    if several:
        run.progress(f"warning: {len(several)} persons have more than one sample: {shown(several)}")
    in_genotypes = ids_in_genotypes(run)
    absent = [sample_id for _, sample_id in kept if sample_id not in in_genotypes]
    if absent:
        run.progress(
            f"warning: {len(absent)} of {len(kept)} samples are in no active callset: {shown(absent)}; they "
            "count once their genotypes are ingested"
        )
    run.counters.update(
        samples=len(kept),
        samples_without_person=n_left,
        persons_with_several_samples=len(several),
        samples_not_in_an_active_callset=len(absent),
    )
    return kept


def _with_several(links: Sequence[Link]) -> list[str]:
    samples = Counter(person_id for person_id, _ in links)
    return sorted(person_id for person_id, n in samples.items() if n > 1)
