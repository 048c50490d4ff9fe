"""``consequences`` of the cohort's variants: only what has no current annotation is annotated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.cohort import warehouse_build
from allofus_spark.consequences.annotator import ROW_COLUMNS, Annotator
from allofus_spark.consequences.counts import count_alleles
from allofus_spark.consequences.csq import csq_annotator
from allofus_spark.consequences.tasks import AnnotateRanges, range_tasks
from allofus_spark.tables import (
    ALLELE_KEY,
    BY_HAND,
    CONSEQUENCES,
    VARIANTS,
    ArrowWrite,
    Inputs,
    Partition,
    Recipe,
    Run,
    Warehouse,
    content_hashes,
    inputs_write,
    partitions_predicate,
    quoted,
    recorded_inputs,
    start_run,
)

_STAGE = CONSEQUENCES.name


def annotate_consequences(warehouse: Warehouse, annotator: Annotator | None = None) -> dict[str, int]:
    """Bring ``consequences`` of one annotator (by default bcftools csq) up to date; record a snapshot.

    Rows of the annotator's version whose allele is still in ``variants`` are kept, the other alleles are
    annotated, rows of alleles that are gone go. Partitions whose variants and version are those of the last
    run are not touched; where all are, nothing is written. Where no row goes, new ones are only added.

    Returns the run's counters: variants, those annotated and kept, partitions written; and of the
    partitions written, variants with a coding consequence, in no gene, and not annotated by reason.
    Raises BadSource where the warehouse holds no callset; SettingsError, BuildMismatch or BadSource where
    the annotator's files are missing or of another build; AnnotationFailed naming the variant on which the
    annotator fails.
    """
    recipe = Recipe() if annotator is None else BY_HAND
    with start_run(warehouse, "annotate_consequences", recipe) as run:
        annotator = annotator or csq_annotator(warehouse.settings, warehouse_build(warehouse))
        changes = find_changes(run, annotator.name, annotator.version)
        if not changes.touched:
            run.progress(f"all {run.counters['variants']} variants are annotated by {annotator.version}")
            return dict(run.counters)
        with _work_of(run, annotator, changes) as work:
            _count(run, work, changes)
            run.write(
                _consequences_write(run, annotator, work),
                inputs_write({(_STAGE, annotator.name): changes.inputs}),
            )
        count_alleles(run, changes.predicate)
        return dict(run.counters)


def _consequences_write(run: Run, annotator: Annotator, work: _Work) -> ArrowWrite:
    opened = annotator.open() if work.n_new else None
    for warning in opened.warnings if opened else ():
        run.progress(f"warning: {warning}")
    run.progress(f"annotating {work.n_new} of {run.counters['variants']} variants by {annotator.version}")
    tasks = AnnotateRanges(
        opened.annotate if opened else None,
        annotator.name,
        annotator.version,
        run.warehouse.settings.consequences.variants_per_range,
    )
    source = range_tasks(work.new, work.kept, work.n_new, tasks.variants_per_range)
    return ArrowWrite(source, tasks, [(CONSEQUENCES, work.replaced)])


@dataclass(frozen=True)
class Changes:
    """Partitions to be made anew.

    ``sizes`` are variants by partition, ``inputs`` what every partition is made from now, ``touched`` those
    whose inputs are others than recorded or that have no variants any more. ``predicate`` is of the
    annotator's rows in them. ``is_anew``: none of them was made by this version before.
    """

    sizes: Mapping[Partition, int]
    inputs: Mapping[Partition, Inputs]
    touched: frozenset[Partition]
    predicate: str
    is_anew: bool


def find_changes(run: Run, annotator: str, version: str) -> Changes:
    """Compare the partitions of ``variants`` with what ``annotator`` was last run on; counts the variants."""
    found = content_hashes(run.read(VARIANTS), "position", "ref", "alt")
    inputs = {
        place: {"variants": f"{rows}:{content}", "annotation": version}
        for place, (rows, content) in found.items()
    }
    recorded = recorded_inputs(run, _STAGE, annotator) if run.warehouse.exists(CONSEQUENCES) else {}
    touched = frozenset(place for place in {*inputs, *recorded} if inputs.get(place) != recorded.get(place))
    sizes = {place: n for place, (n, _) in found.items()}
    n_variants = sum(sizes.values())
    n_untouched = n_variants - sum(sizes.get(place, 0) for place in touched)
    run.counters.update(
        variants=n_variants,
        variants_annotated=0,
        variants_kept=n_untouched,
        partitions_written=len(touched),
    )
    mine = f"annotator = {quoted(annotator)}"
    everything = not set(recorded) - touched
    predicate = mine if everything else f"{mine} AND {partitions_predicate(touched)}"
    is_anew = not any(recorded[place]["annotation"] == version for place in touched & set(recorded))
    return Changes(sizes, inputs, touched, predicate, is_anew)


@dataclass(frozen=True)
class _Work:
    """Alleles to annotate, rows to write again (None: none), and the predicate of rows that go (none: "")."""

    new: DataFrame
    n_new: int
    kept: DataFrame | None
    replaced: str


@contextmanager
def _work_of(run: Run, annotator: Annotator, changes: Changes) -> Iterator[_Work]:
    """What is to be done in the partitions that are touched; keys that differ are held while it is used."""
    variants = run.read(VARIANTS).where(partitions_predicate(changes.touched)).select(*ALLELE_KEY)
    n_variants = sum(changes.sizes.get(place, 0) for place in changes.touched)
    if changes.is_anew or not run.warehouse.exists(CONSEQUENCES):
        yield _Work(variants, n_variants, None, changes.predicate)
        return
    rows = run.read(CONSEQUENCES).where(changes.predicate)
    is_current = F.col("annotation_version") == annotator.version
    held = rows.where("is_most_severe").select(*ALLELE_KEY, is_current.alias("is_current"))
    wanted = variants.withColumn("is_wanted", F.lit(True))
    differing = (
        wanted.join(held, list(ALLELE_KEY), "full_outer")
        .where("is_wanted IS NULL OR is_current IS NULL OR NOT is_current")
        .persist()
    )
    try:
        new = differing.where("is_wanted").select(*ALLELE_KEY)
        counted = differing.agg(
            F.count("is_wanted").alias("new"), F.count("is_current").alias("gone")
        ).first()
        assert counted is not None
        if not counted.gone:
            yield _Work(new, counted.new, None, "")
            return
        kept = None
        if counted.new < n_variants:
            current = rows.where(is_current).select(*ROW_COLUMNS)
            gone = differing.where("is_current").select(*ALLELE_KEY)
            kept = current.join(gone, list(ALLELE_KEY), "left_anti")
        yield _Work(new, counted.new, kept, changes.predicate)
    finally:
        differing.unpersist()


def _count(run: Run, work: _Work, changes: Changes) -> None:
    touched = sum(changes.sizes.get(place, 0) for place in changes.touched)
    run.counters["variants_annotated"] = work.n_new
    run.counters["variants_kept"] += touched - work.n_new
