"""Lists of variants, one line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from allofus_spark.cohort import read_consequences, read_novelty
from allofus_spark.errors import NotFound
from allofus_spark.query.places import Key, Places, key_of
from allofus_spark.tables import ALLELE_KEY, CONSEQUENCES, NOVELTY, VARIANTS, allele_frequencies
from allofus_spark.tables.consequence_tables import IMPACTS

_EFFECT = ("gene_symbol", "term", "impact", "aa_change")
_COUNTS = ("ac", "an", "af")


@dataclass(frozen=True)
class ListedVariant:
    """One variant of a list. ``ac``, ``an`` and ``af`` are of everybody; None: not computed."""

    variant_id: str
    gene_symbol: str | None
    term: str | None
    impact: str | None
    aa_change: str | None
    ac: int | None
    an: int | None
    af: float | None
    status: str | None


def list_gene(places: Places, gene: str, most: int) -> tuple[int, list[ListedVariant]]:
    """How many variants touch a gene, by symbol or id in any case, and the first of them.

    By impact on the gene, then by place. Raises NotFound where no variant does.
    """
    annotator = places.warehouse.settings.consequences.annotator
    if not places.reader.holds(CONSEQUENCES):
        raise NotFound(
            f"{gene} is not a variant (write CONTIG-POSITION-REF-ALT or an rs number), and genes cannot be "
            "looked up, as no consequences are computed"
        )
    # As written first: equality lets files and row groups be skipped.
    as_written = (F.col("gene_symbol") == gene) | (F.col("gene_id") == gene)
    in_any_case = (F.lower("gene_symbol") == gene.lower()) | (F.lower("gene_id") == gene.lower())
    for is_gene in (as_written, in_any_case):
        worst = _worst(read_consequences(places.warehouse, places.reader).where(is_gene))
        total = worst.count()
        if total:
            first = worst.orderBy(_rank("worst.impact"), *ALLELE_KEY).limit(most).collect()
            return total, _lines(places, [key_of(row) for row in first], [row.worst for row in first])
    raise NotFound(
        f"no variant has a consequence for a gene {gene} (annotator {annotator}); write a gene's symbol or "
        "id, an rs number, or a variant as CONTIG-POSITION-REF-ALT"
    )


def list_alleles(places: Places, keys: Sequence[Key]) -> list[ListedVariant]:
    """A line for each of a few alleles, in their order."""
    frame = read_consequences(places.warehouse, places.reader)
    rows = places.rows(_worst(frame), [(key[0], key[2]) for key in keys])
    worst = {key_of(row): row.worst for row in rows}
    return _lines(places, keys, [worst.get(key) for key in keys])


def _worst(consequences: DataFrame) -> DataFrame:
    """The most severe of the rows of each allele, as ``worst``."""
    severity = F.struct(
        (~F.col("is_most_severe")).alias("other"),
        _rank("impact").alias("rank"),
        F.col("transcript_id"),
        F.col("impact"),
        F.element_at("terms", 1).alias("term"),
        F.col("aa_change"),
        F.col("gene_symbol"),
    )
    annotated = consequences.where(F.size("terms") > 0)
    return annotated.groupBy(*ALLELE_KEY).agg(F.min(severity).alias("worst"))


def _rank(impact: str) -> Column:
    ranks = (F.when(F.col(impact) == name, F.lit(rank)) for rank, name in enumerate(IMPACTS))
    return F.coalesce(*ranks)


def _lines(places: Places, keys: Sequence[Key], worst: Sequence[Row | None]) -> list[ListedVariant]:
    """The keys' lines, with their ids, frequencies and statuses read at their positions."""
    positions = {(key[0], key[2]) for key in keys}
    frequencies = allele_frequencies(places.warehouse.settings.frequencies.ancestry_groups)
    ids = {key_of(row): row.variant_id for row in places.rows(VARIANTS, positions)}
    overall = {key_of(row): row.overall for row in places.rows(frequencies, positions)}
    status = {}
    if places.reader.holds(NOVELTY):
        rows = places.rows(read_novelty(places.warehouse, places.reader), positions)
        status = {key_of(row): row.status for row in rows}
    lines = []
    for key, row in zip(keys, worst, strict=True):
        values = {name: row[name] for name in _EFFECT} if row else dict.fromkeys(_EFFECT)
        counts = overall[key].asDict() if key in overall else {}
        values |= {name: counts.get(name) for name in _COUNTS}
        lines.append(ListedVariant(variant_id=ids[key], status=status.get(key), **values))
    return lines
