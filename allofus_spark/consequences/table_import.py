"""Consequences from a ready annotation table: VEP's, Nirvana's, or the public Variant Annotation Table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from allofus_spark.cohort import warehouse_build
from allofus_spark.consequences.counts import count_alleles
from allofus_spark.consequences.csq import CSQ
from allofus_spark.consequences.stage import Changes, find_changes
from allofus_spark.consequences.table_rows import NormaliseRows, rows_of_table, terms_of_text
from allofus_spark.consequences.tasks import named_rows, tasks_for
from allofus_spark.errors import BadSource, shown
from allofus_spark.genome import ReferenceSequence
from allofus_spark.hadoop import without_glob
from allofus_spark.tables import (
    ALLELE_KEY,
    CONSEQUENCES,
    VARIANTS,
    ArrowWrite,
    Run,
    Warehouse,
    check_name,
    inputs_write,
    partitions_predicate,
    start_run,
)

# Our names of the table's columns. The first ones must be there.
_ALLELE = {"contig": "contig", "position": "position", "ref": "ref_allele", "alt": "alt_allele"}
_NEEDED = {**_ALLELE, "transcript_id": "transcript", "consequence": "consequence"}
_SAID = {
    "gene_id": "gene_id",
    "gene_symbol": "gene_symbol",
    "aa_change": "aa_change",
    "dna_change": "dna_change_in_transcript",
}
_VID = "vid"
_SAID_NAMES = ("transcript_id", "consequence", *_SAID)


def import_annotation(warehouse: Warehouse, path: str, *, annotator: str, version: str) -> dict[str, int]:
    """Take the rows of ``consequences`` of one annotator from a table with a header (TSV, plain, gz or bgz).

    Columns are those of the Variant Annotation Table: contig, position, ref_allele and alt_allele (or vid),
    transcript and consequence; gene_id, gene_symbol, aa_change and dna_change_in_transcript where they are
    there. Alleles are normalised as the cohort's and matched to ``variants``; a variant that the table does
    not have gets no row. A line without transcript and consequence says: in no gene.

    Returns the run's counters: lines read, lines of alleles that are not in the cohort, names that are no
    terms, lines without a known term, variants with rows and without.
    Raises BadSource where the file cannot be read, lacks a column or has lines without an allele, or where
    ``annotator`` is csq or no name; BuildMismatch where a contig is another build's.
    """
    check_name("annotator", annotator)
    if annotator == CSQ:
        raise BadSource(f"{CSQ} is the name of bcftools csq's rows: give the table's annotator another name")
    if not annotator or "'" in annotator or "\\" in annotator:
        raise BadSource(f"annotator {annotator!r}: give it a name without quotes and backslashes")
    with start_run(warehouse, "import_annotation") as run:
        build = warehouse_build(warehouse)
        lines = _read(warehouse.spark, path)
        summary = _summarise(path, lines)
        _count_terms(run, summary)
        fasta = warehouse.settings.genome.reference_fasta
        normalise = NormaliseRows(
            {contig: build.canonical_contig(contig) for contig in summary.contigs},
            ReferenceSequence(fasta, build) if fasta else None,
            warehouse.bin_width_bases,
        )
        rows = lines.mapInArrow(normalise, _normal_type())
        changes = find_changes(run, annotator, f"{version}; lines {summary.fingerprint}")
        if not changes.touched:
            run.progress(f"the rows of {annotator} are those of {path} already")
            return dict(run.counters)
        variants = run.read(VARIANTS).select(*ALLELE_KEY)
        unmatched = rows.join(variants, list(ALLELE_KEY), "left_anti").count()
        run.counters["lines_of_other_alleles"] = unmatched
        _write(run, rows, variants, changes, annotator, version)
        return dict(run.counters)


def _read(spark: SparkSession, path: str) -> DataFrame:
    """Lines of the table by our names of its columns; text is as written, empty text is null."""
    try:
        held = spark.read.csv(without_glob(path), sep="\t", header=True, quote="", inferSchema=False)
    except (AnalysisException, Py4JJavaError) as error:
        raise BadSource(f"{path}: cannot be read: {_first_line(error)}") from None
    names = set(held.columns)
    if _VID in names and not names.issuperset(_ALLELE.values()):
        parts = F.split(_VID, "-")
        for place, name in enumerate(_ALLELE.values()):
            held = held.withColumn(name, F.get(parts, F.lit(place)))
        names = set(held.columns)
    if missing := sorted(set(_NEEDED.values()) - names):
        raise BadSource(
            f"{path}: columns are missing: {', '.join(missing)}; it has {shown(held.columns)}. Give a "
            "tab-separated table with the Variant Annotation Table's header."
        )
    given = [F.col(theirs).alias(ours) for ours, theirs in _NEEDED.items() if ours != "position"]
    given += [
        (F.col(theirs) if theirs in names else F.lit(None).cast("string")).alias(ours)
        for ours, theirs in _SAID.items()
    ]
    return held.select(F.expr("try_cast(position AS INT)").alias("position"), *given)


@dataclass(frozen=True)
class _Summary:
    """What a table holds: lines, a fingerprint of them, contigs as spelled, lines by text of consequence."""

    lines: int
    fingerprint: str
    contigs: list[str]
    consequences: Counter[str | None]
    transcripts_without: int


def _summarise(path: str, lines: DataFrame) -> _Summary:
    """Read the whole table once; raises BadSource where that fails or lines have no allele."""
    is_bad = F.greatest(*(F.col(name).isNull() for name in _ALLELE))
    has_transcript = F.col("transcript_id").isNotNull()
    try:
        groups = (
            lines.groupBy("contig", "consequence", has_transcript.alias("has_transcript"))
            .agg(
                F.count("*").alias("n"),
                F.expr(f"bit_xor(xxhash64({', '.join(lines.columns)}))").alias("mixed"),
                F.count_if(is_bad).alias("bad"),
            )
            .collect()
        )
    except Py4JJavaError as error:
        raise BadSource(f"{path}: cannot be read: {_first_line(error)}; fetch it again") from None
    n_lines, bad = sum(row.n for row in groups), sum(row.bad for row in groups)
    if bad or not n_lines:
        raise BadSource(
            f"{path}: {bad} of {n_lines} lines have no contig, whole-number position, ref_allele and "
            "alt_allele; is it a tab-separated annotation table?"
        )
    mixed, texts, without = 0, Counter[str | None](), 0
    for row in groups:
        mixed ^= row.mixed & (2**64 - 1)
        texts[row.consequence] += row.n
        if not terms_of_text(row.consequence)[0] and (row.has_transcript or row.consequence):
            without += row.n
    contigs = sorted({row.contig for row in groups})
    return _Summary(n_lines, f"{n_lines}:{mixed:016x}", contigs, texts, without)


def _count_terms(run: Run, summary: _Summary) -> None:
    unknown = Counter[str]()
    for text, n_lines in summary.consequences.items():
        for name in terms_of_text(text)[1]:
            unknown[name] += n_lines
    run.counters.update(
        lines_read=summary.lines,
        lines_without_known_term=summary.transcripts_without,
        unknown_terms=sum(unknown.values()),
    )
    if unknown:
        named = [f"{name} ({count})" for name, count in unknown.most_common()]
        run.progress(
            f"warning: {len(unknown)} names are no Sequence Ontology terms of Ensembl: {shown(named)}"
        )


def _normal_type() -> str:
    return "contig string, bin int, position int, ref string, alt string, " + ", ".join(
        f"{name} string" for name in _SAID_NAMES
    )


def _write(
    run: Run, rows: DataFrame, variants: DataFrame, changes: Changes, annotator: str, version: str
) -> None:
    touched = partitions_predicate(changes.touched)
    matched = rows.where(touched).join(variants.where(touched), list(ALLELE_KEY), "left_semi")
    said = F.sort_array(F.collect_list(F.struct(*_SAID_NAMES))).alias("said")
    n_touched = sum(changes.sizes.get(place, 0) for place in changes.touched)
    tasks = tasks_for(run.warehouse.spark, n_touched, run.warehouse.settings.consequences.variants_per_range)
    order = ("contig", "position", "ref", "alt")
    source = (
        matched.groupBy(*ALLELE_KEY).agg(said).repartitionByRange(tasks, *order).sortWithinPartitions(*order)
    )
    run.write(
        ArrowWrite(source, _TableRows(annotator, version), [(CONSEQUENCES, changes.predicate)]),
        inputs_write(CONSEQUENCES.name, annotator, changes.inputs),
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


def _first_line(error: Exception) -> str:
    java = getattr(error, "java_exception", None)
    return str(error if java is None else java.toString()).splitlines()[0]
