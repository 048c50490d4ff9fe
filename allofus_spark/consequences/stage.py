"""``consequences`` of the cohort's variants: only what has no current annotation is annotated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.cohort import warehouse_build
from allofus_spark.consequences.annotator import ROW_COLUMNS, Annotator
from allofus_spark.consequences.counts import count_alleles
from allofus_spark.consequences.csq import CsqAnnotator
from allofus_spark.consequences.tasks import AnnotateRanges, range_tasks
from allofus_spark.tables import (
    ALLELE_KEY,
    CONSEQUENCES,
    VARIANTS,
    ArrowWrite,
    Inputs,
    Partition,
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
    run are not touched; where all are, nothing is written.

    Returns the run's counters: variants, those annotated and kept, partitions written; and of the
    partitions written, variants with a coding consequence, in no gene, and not annotated by reason.
    Raises BadSource where the warehouse holds no callset; SettingsError, BuildMismatch or BadSource where
    the annotator's files are missing or of another build; AnnotationFailed naming the variant on which the
    annotator fails.
    """
    with start_run(warehouse, "annotate_consequences") as run:
        annotator = annotator or CsqAnnotator(warehouse.settings, warehouse_build(warehouse))
        changes = find_changes(run, annotator.name, annotator.version)
        if not changes.touched:
            run.progress(f"all {run.counters['variants']} variants are annotated by {annotator.version}")
            return dict(run.counters)
        new, kept = _new_and_kept(run, annotator, changes)
        n_new = _count_new(run, new, kept, changes)
        tasks = AnnotateRanges(
            annotator.open() if n_new else None,
            annotator.name,
            annotator.version,
            warehouse.settings.consequences.variants_per_range,
        )
        for warning in annotator.warnings():
            run.progress(f"warning: {warning}")
        run.progress(f"annotating {n_new} of {run.counters['variants']} variants by {annotator.version}")
        source = range_tasks(new, kept, n_new, tasks.variants_per_range)
        run.write(
            ArrowWrite(source, tasks, [(CONSEQUENCES, changes.predicate)]),
            inputs_write(_STAGE, annotator.name, changes.inputs),
        )
        count_alleles(run, changes.predicate)
        return dict(run.counters)


@dataclass(frozen=True)
class Changes:
    """Partitions to be made anew.

    ``sizes`` are variants by partition, ``inputs`` what every partition is made from now, ``touched`` those
    whose inputs are others than recorded or that have no variants any more. ``predicate`` is of the
    annotator's rows in them.
    """

    sizes: Mapping[Partition, int]
    inputs: Mapping[Partition, Inputs]
    touched: frozenset[Partition]
    predicate: str


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
    return Changes(sizes, inputs, touched, predicate)


def _new_and_kept(run: Run, annotator: Annotator, changes: Changes) -> tuple[DataFrame, DataFrame | None]:
    """Alleles to annotate, and rows to keep (None: none) in the partitions that are written."""
    variants = run.read(VARIANTS).where(partitions_predicate(changes.touched)).select(*ALLELE_KEY)
    if not run.warehouse.exists(CONSEQUENCES):
        return variants, None
    held = run.read(CONSEQUENCES).where(changes.predicate)
    current = held.where(F.col("annotation_version") == annotator.version).select(*ROW_COLUMNS)
    annotated = current.where("is_most_severe").select(*ALLELE_KEY)
    new = variants.join(annotated, list(ALLELE_KEY), "left_anti")
    return new, current.join(variants, list(ALLELE_KEY), "left_semi")


def _count_new(run: Run, new: DataFrame, kept: DataFrame | None, changes: Changes) -> int:
    touched = sum(changes.sizes.get(place, 0) for place in changes.touched)
    n_new = touched if kept is None else new.count()
    run.counters["variants_annotated"] = n_new
    run.counters["variants_kept"] += touched - n_new
    return n_new
