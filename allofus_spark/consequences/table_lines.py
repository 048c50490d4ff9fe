"""Lines of a ready annotation table: its columns by our names, and why a line is refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from allofus_spark.consequences.checksums import check_bgzip_ends, first_line
from allofus_spark.consequences.table_rows import terms_of_text
from allofus_spark.errors import BadSource, shown
from allofus_spark.hadoop import without_glob

# Our names of the table's columns. Those of the allele, or vid, and the needed ones must be there.
_ALLELE = {"contig": "contig", "position": "position", "ref": "ref_allele", "alt": "alt_allele"}
_NEEDED = {"transcript_id": "transcript", "consequence": "consequence"}
_OTHER = {
    "gene_id": "gene_id",
    "gene_symbol": "gene_symbol",
    "aa_change": "aa_change",
    "dna_change": "dna_change_in_transcript",
}
SAID_NAMES = (*_NEEDED, *_OTHER)
_VID = "vid"
# Contigs can have dashes in their names, as HLA-A*01:01:01:01: the last three parts are the allele.
_VID_PARTS = r"^(.+)-([0-9]+)-([^-]+)-([^-]+)$"
_SHOWN_CHARACTERS = 100


def read_lines(spark: SparkSession, path: str) -> DataFrame:
    """Lines that are not empty, by our names of their columns; empty text is null.

    ``refused`` says why a line cannot be taken (null: it can), ``line`` how it begins. Raises BadSource
    where the file cannot be read, is cut or lacks a column.
    """
    check_bgzip_ends(spark, path)
    try:
        lines = spark.read.text(without_glob(path)).where("value != ''")
        first = lines.first()
    except (AnalysisException, Py4JJavaError) as error:
        raise BadSource(f"{path}: cannot be read: {first_line(error)}; fetch it again") from None
    if first is None:
        raise BadSource(f"{path}: the file is empty; give a tab-separated annotation table")
    names = first.value.split("\t")
    fields = {name: F.nullif(F.get("fields", F.lit(at)), F.lit("")) for at, name in enumerate(names)}
    if _VID in fields and not fields.keys() >= set(_ALLELE.values()):
        for part, name in enumerate(_ALLELE.values(), 1):
            fields[name] = F.nullif(F.regexp_extract(fields[_VID], _VID_PARTS, part), F.lit(""))
    if missing := sorted({*_ALLELE.values(), *_NEEDED.values()} - fields.keys()):
        raise BadSource(
            f"{path}: columns are missing: {', '.join(missing)}; it has {shown(names)}. Give a "
            "tab-separated table with the Variant Annotation Table's header."
        )
    split = lines.where(F.col("value") != first.value).withColumn("fields", F.split("value", "\t", -1))
    given = {ours: fields.get(theirs, F.lit(None)) for ours, theirs in (_ALLELE | _NEEDED | _OTHER).items()}
    texts = split.select(
        *(column.cast("string").alias(ours) for ours, column in given.items()),
        F.left("value", F.lit(_SHOWN_CHARACTERS)).alias("line"),
        (F.size("fields") != len(names)).alias("is_odd"),
    )
    held = texts.withColumn("position", F.expr("try_cast(position AS INT)"))
    return held.withColumn("refused", _why_refused(len(names))).drop("is_odd")


def _why_refused(n_columns: int) -> Column:
    has_allele = F.expr(" AND ".join(f"{name} IS NOT NULL" for name in _ALLELE))
    return F.when(F.col("is_odd"), f"not {n_columns} columns").when(
        ~has_allele, "no contig, whole-number position, ref_allele and alt_allele"
    )


@dataclass(frozen=True)
class Summary:
    """What a table holds.

    ``refused`` counts lines by reason, ``examples`` are beginnings of such lines. ``contigs`` are as spelled,
    ``consequences`` count lines by their text; ``without_known_term`` are lines that say nothing we know.
    """

    lines: int
    refused: Counter[str]
    examples: list[str]
    contigs: list[str]
    consequences: Counter[str | None]
    without_known_term: int


def summarise(path: str, lines: DataFrame) -> Summary:
    """Read the whole table once; raises BadSource where that fails."""
    taken = F.col("refused").isNull()
    by = [F.when(taken, F.col(name)).alias(name) for name in ("contig", "consequence")]
    has_transcript = (taken & F.col("transcript_id").isNotNull()).alias("has_transcript")
    counted = lines.groupBy(*by, has_transcript, "refused").agg(
        F.count("*").alias("n"), F.min("line").alias("first"), F.max("line").alias("last")
    )
    try:
        groups = counted.collect()
    except Py4JJavaError as error:
        raise BadSource(f"{path}: cannot be read: {first_line(error)}; fetch it again") from None
    refused, texts, without = Counter[str](), Counter[str | None](), 0
    examples: list[str] = []
    for row in groups:
        if row.refused is not None:
            refused[row.refused] += row.n
            examples += dict.fromkeys((row["first"], row["last"]))
            continue
        texts[row.consequence] += row.n
        if not terms_of_text(row.consequence)[0] and (row.has_transcript or row.consequence):
            without += row.n
    contigs = sorted({row.contig for row in groups if row.refused is None})
    return Summary(sum(row.n for row in groups), refused, examples, contigs, texts, without)
