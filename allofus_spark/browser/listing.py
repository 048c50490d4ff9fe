"""Pages of variants: of a region or a gene, all of them or those that filters leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.browser.asked import Refused, Region
from allofus_spark.browser.opened import OpenRelease, Row
from allofus_spark.browser.sorted_rows import Rows

# What a list shows of a variant.
COLUMNS = (
    *("variant_id", "contig", "position", "ref", "alt", "rsids", "variant_type", "gene_symbol"),
    *(
        "consequence",
        "impact",
        "aa_change",
        "novelty",
        "all_ac",
        "all_an",
        "all_af",
        "max_af",
        "max_af_group",
    ),
    "withheld",
)


@dataclass(frozen=True)
class Filters:
    """What is left in: a Sequence Ontology term, an impact, a novelty; None: any."""

    consequence: str | None = None
    impact: str | None = None
    novelty: str | None = None

    def __bool__(self) -> bool:
        return any((self.consequence, self.impact, self.novelty))


@dataclass(frozen=True)
class VariantPage:
    """Variants of a region: ``total`` where it is known without looking at each, else None.

    ``following``: row to go on from, None at the end; ``looked_until``: position up to which was looked,
    where the page ends before it is full.
    """

    region: Region
    variants: list[Row]
    total: int | None
    following: int | None
    looked_until: int | None


def variant_page(
    opened: OpenRelease, region: Region, *, gene: str | None, filters: Filters, start: int, most: int
) -> VariantPage:
    """The page that begins at row ``start`` of the region; ``gene``: only those with a consequence in it."""
    if opened.variants is None:
        raise Refused(404, "This release has no variants.")
    rows = opened.rows_between(region.contig, region.first, region.last)
    if not 0 <= start <= len(rows):
        raise Refused(400, f"The page would begin at row {start:,} of {len(rows):,}.")
    rest = Rows(rows.first + start, rows.end)
    if gene is None and not filters:
        shown = Rows(rest.first, min(rest.end, rest.first + most))
        following = None if shown.end == rest.end else shown.end - rows.first
        found = opened.variants.read(shown).select(COLUMNS).to_pylist()
        return VariantPage(region, found, len(rows), following, None)
    return _filtered(opened, region, rest, rows.first, gene, filters, most)


def _filtered(
    opened: OpenRelease,
    region: Region,
    rest: Rows,
    origin: int,
    gene: str | None,
    filters: Filters,
    most: int,
) -> VariantPage:
    found: list[Row] = []
    at = rest.first
    last_position = region.first
    assert opened.variants is not None
    for number, piece in enumerate(opened.variants.pieces(rest)):
        if number == opened.settings.scan_batches:
            return VariantPage(region, found, None, at - origin, last_position)
        kept = pc.indices_nonzero(_mask(opened, piece, gene, filters)).to_pylist()
        wanted = kept[: most - len(found)]
        found += piece.select(COLUMNS).take(pa.array(wanted, pa.int64())).to_pylist()
        if len(kept) > len(wanted):
            return VariantPage(region, found, None, at + kept[len(wanted)] - origin, None)
        at += piece.num_rows
        last_position = piece.column("position")[-1].as_py()
    return VariantPage(region, found, None, None, None)


def _mask(opened: OpenRelease, piece: pa.Table, gene: str | None, filters: Filters) -> pa.Array:
    """Which rows of a piece are left, bool[n]."""
    mask = pa.array([True] * piece.num_rows)
    if filters.novelty:
        mask = pc.and_(mask, pc.fill_null(pc.equal(piece.column("novelty"), filters.novelty), False))
    if gene is None or opened.consequences is None:
        wanted = {"gene_symbol": gene, "consequence": filters.consequence, "impact": filters.impact}
        for name, value in wanted.items():
            if value:
                mask = pc.and_(mask, pc.fill_null(pc.equal(piece.column(name), value), False))
        return mask
    return pc.and_(mask, pc.is_in(piece.column("variant_id"), _ids_in_gene(opened, piece, gene, filters)))


def _ids_in_gene(opened: OpenRelease, piece: pa.Table, gene: str, filters: Filters) -> pa.Array:
    """Variants of a piece with a consequence in a gene, and with the term or impact asked for in it."""
    assert opened.consequences is not None
    positions = piece.column("position")
    first, last = positions[0].as_py(), positions[-1].as_py()
    ids: list[pa.Array] = []
    for part in opened.consequences.pieces(
        opened.consequences.find(first, last, piece.column("contig")[0].as_py())
    ):
        of_gene = part.filter(
            pc.or_kleene(pc.equal(part.column("gene_symbol"), gene), pc.equal(part.column("gene_id"), gene))
        )
        ids += _with(of_gene, filters).column("variant_id").chunks
    return pa.chunked_array(ids, pa.string()).combine_chunks() if ids else pa.array([], pa.string())


def _with(consequences: pa.Table, filters: Filters) -> pa.Table:
    if filters.impact:
        consequences = consequences.filter(
            pc.fill_null(pc.equal(consequences.column("impact"), filters.impact), False)
        )
    if filters.consequence:
        terms = consequences.column("terms").combine_chunks()
        has = pc.equal(terms.flatten(), filters.consequence)
        consequences = consequences.take(pc.unique(terms.value_parent_indices().filter(has)))
    return consequences


def counts_by_place(opened: OpenRelease, region: Region, bins: int) -> list[int] | None:
    """Variants in ``bins`` equal stretches of a region; None: there are too many to look at for a page."""
    rows = opened.rows_between(region.contig, region.first, region.last)
    most = opened.settings.scan_batches * opened.settings.batch_rows
    if opened.variants is None or len(rows) > most:
        return None
    counts = np.zeros(bins, np.int64)
    length = region.last - region.first + 1
    for piece in opened.variants.pieces(rows):
        places = (piece.column("position").to_numpy().astype(np.int64) - region.first) * bins // length
        counts += np.bincount(places, minlength=bins)
    return counts.tolist()
