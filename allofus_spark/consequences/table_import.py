"""Consequences from a ready annotation table: VEP's, Nirvana's, or the public Variant Annotation Table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.checksums import short
from allofus_spark.cohort import configured_reference, warehouse_build
from allofus_spark.consequences.checksums import checksum_by_hadoop
from allofus_spark.consequences.counts import count_alleles
from allofus_spark.consequences.csq import CSQ
from allofus_spark.consequences.stage import Changes, find_changes
from allofus_spark.consequences.table_lines import SAID_NAMES, Summary, read_lines, summarise
from allofus_spark.consequences.table_rows import NormaliseRows, rows_of_table, terms_of_text
from allofus_spark.consequences.tasks import by_place, named_rows, tasks_for
from allofus_spark.errors import BadSource, shown
from allofus_spark.genome import ReferenceSequence
from allofus_spark.hadoop import absolute_path
from allofus_spark.tables import (
    ALLELE_KEY,
    CONSEQUENCES,
    VARIANTS,
    ArrowWrite,
    Recipe,
    Run,
    Warehouse,
    check_name,
    inputs_write,
    partitions_predicate,
    start_run,
)

_ALLELE_NAMES = ("contig", "position", "ref", "alt")
# Raised when the rows made from a table change.
_ROWS_VERSION = 2


def import_annotation(warehouse: Warehouse, path: str, *, annotator: str, version: str) -> dict[str, int]:
    """Take the rows of ``consequences`` of one annotator from a table with a header (TSV, plain, gz or bgz).

    Columns are those of the Variant Annotation Table: contig, position, ref_allele and alt_allele (or vid),
    transcript and consequence; gene_id, gene_symbol, aa_change and dna_change_in_transcript where they are
    there. Alleles are normalised as the cohort's and matched to ``variants``; a variant that the table does
    not have gets no row. A line without transcript and consequence says: in no gene, where the allele has no
    other line. Where table, reference sequence and variants are those of the last import, nothing is read or
    written.

    A line with another number of columns than the header, or without an allele, is refused: a warning gives
    reasons, numbers and examples; no table keeps such lines.

    Returns the run's counters: lines read and refused, names that are no terms, lines without a known term,
    variants with rows and without.
    Raises BadSource where the file cannot be read or lacks a column, where more lines are refused than
    ingest.max_rejected_share allows, or where ``annotator`` is csq or no name; BuildMismatch where a contig
    is another build's.
    """
    _check_annotator(annotator)
    asked = absolute_path(path)
    recipe = Recipe(annotator, {"path": asked, "version": version}, [asked])
    with start_run(warehouse, "import_annotation", recipe) as run:
        build = warehouse_build(warehouse)
        reference = configured_reference(warehouse, build)
        made_from = _fingerprint(warehouse, path, version, reference)
        changes = find_changes(run, annotator, made_from)
        if not changes.touched:
            run.progress(f"the rows of {annotator} are those of {path} already")
            return dict(run.counters)
        lines = read_lines(warehouse.spark, path)
        summary = summarise(path, lines)
        _count_lines(run, path, summary)
        normalise = NormaliseRows(
            {contig: build.canonical_contig(contig) for contig in summary.contigs},
            reference,
            warehouse.bin_width_bases,
        )
        taken = lines.where("refused IS NULL").select(*_ALLELE_NAMES, *SAID_NAMES)
        _write(run, taken.mapInArrow(normalise, _normal_type()), changes, annotator, version)
        return dict(run.counters)


def _check_annotator(annotator: str) -> None:
    check_name("annotator", annotator)
    if annotator == CSQ:
        raise BadSource(f"{CSQ} is the name of bcftools csq's rows: give the table's annotator another name")


def _fingerprint(warehouse: Warehouse, path: str, version: str, reference: ReferenceSequence | None) -> str:
    """What rows are made from: the table, the sequence that aligns its alleles, and how rows are made."""
    sequence = f"sha256:{short(reference.checksum())}" if reference else "none"
    table = checksum_by_hadoop(warehouse.spark, path)
    return f"{version}, rows {_ROWS_VERSION}; table sha256:{table}; sequence {sequence}"


def _count_lines(run: Run, path: str, summary: Summary) -> None:
    """Count lines and terms and warn of odd ones; raise BadSource where too many lines are refused."""
    n_refused = summary.refused.total()
    run.counters.update(lines_read=summary.lines, lines_refused=n_refused)
    if n_refused or not summary.lines:
        reasons = ", ".join(f"{count} with {reason}" for reason, count in summary.refused.items())
        what = f"{n_refused} of {summary.lines} lines are refused ({reasons or 'there is none'})"
        listed = "; ".join(repr(line) for line in summary.examples)
        allowed = run.warehouse.settings.ingest.max_rejected_share
        if n_refused > allowed * summary.lines or not summary.lines:
            raise BadSource(
                f"{path}: {what}, more than the share of {allowed:g} allowed; nothing was written. Such as: "
                f"{listed}. Mend the table, or raise ingest.max_rejected_share."
            )
        run.progress(f"warning: {path}: {what}, such as: {listed}")
    _count_terms(run, summary)


def _count_terms(run: Run, summary: Summary) -> None:
    unknown = Counter[str]()
    for text, n_lines in summary.consequences.items():
        for name in terms_of_text(text)[1]:
            unknown[name] += n_lines
    run.counters.update(
        lines_without_known_term=summary.without_known_term,
        unknown_terms=sum(unknown.values()),
    )
    if unknown:
        named = [f"{name} ({count})" for name, count in unknown.most_common()]
        run.progress(
            f"warning: {len(unknown)} names are no Sequence Ontology terms of Ensembl: {shown(named)}"
        )


def _normal_type() -> str:
    return "contig string, bin int, position int, ref string, alt string, " + ", ".join(
        f"{name} string" for name in SAID_NAMES
    )


def _write(run: Run, rows: DataFrame, changes: Changes, annotator: str, version: str) -> None:
    touched = partitions_predicate(changes.touched)
    variants = run.read(VARIANTS).where(touched).select(*ALLELE_KEY)
    matched = rows.where(touched).join(variants, list(ALLELE_KEY), "left_semi")
    said = F.sort_array(F.collect_list(F.struct(*SAID_NAMES))).alias("said")
    n_touched = sum(changes.sizes.get(place, 0) for place in changes.touched)
    tasks = tasks_for(run.warehouse.spark, n_touched, run.warehouse.settings.consequences.variants_per_range)
    source = by_place(matched.groupBy(*ALLELE_KEY).agg(said), tasks)
    run.write(
        ArrowWrite(source, _TableRows(annotator, version), [(CONSEQUENCES, changes.predicate)]),
        inputs_write({(CONSEQUENCES.name, annotator): changes.inputs}),
    )
    described = count_alleles(run, changes.predicate)
    run.counters["variants_annotated"] = described
    run.counters["variants_not_in_table"] = n_touched - described


@dataclass(frozen=True)
class _TableRows:
    annotator: str
    version: str

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        for batch in batches:
            if batch.num_rows:
                yield named_rows(rows_of_table(batch), self.annotator, self.version)
