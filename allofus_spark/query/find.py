"""Find variants by id, rs number or gene, as of the newest snapshot; nothing is locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, Row
from pyspark.sql import functions as F

from allofus_spark.cohort import active_callsets, read_novelty
from allofus_spark.errors import NotFound, shown
from allofus_spark.genome import ReferenceSequence, variant_id
from allofus_spark.query.asked import Asked, read_allele, read_rs_number
from allofus_spark.query.listing import ListedVariant, list_alleles, list_gene
from allofus_spark.query.places import Key, Places, key_of
from allofus_spark.query.variant import VariantReport, describe_variant
from allofus_spark.tables import ALLELE_KEY, KNOWN_VARIANTS, NOVELTY, VARIANT_SITES, VARIANTS, Warehouse


@dataclass(frozen=True)
class VariantList:
    """Variants of a gene or an rs number: the first ``variants`` of ``total``, highest impact first."""

    asked: str
    total: int
    variants: Sequence[ListedVariant]


def find_variant(warehouse: Warehouse, text: str, *, most: int) -> VariantReport | VariantList:
    """What is known of the variant that ``text`` names, or the list of a gene's, ``most`` at the most.

    Raises NotFound where the tables have no such variant, with what they have instead; BuildMismatch for a
    contig of another build; BadSource where the warehouse holds no callset.
    """
    places = Places(warehouse)
    asked = read_allele(text, places.build)
    if asked is not None:
        return describe_variant(places, _find_allele(places, asked))
    number = read_rs_number(text)
    if number is None:
        total, variants = list_gene(places, text.strip(), most)
        return VariantList(f"gene {text.strip()}", total, variants)
    keys = _keys_of_rs_number(places, number)
    if len(keys) == 1:
        return describe_variant(places, _find_allele(places, _asked(keys[0])))
    return VariantList(number, len(keys), list_alleles(places, keys[:most]))


def _asked(key: Key) -> Asked:
    return Asked(key[0], key[2], key[3], key[4])


def _find_allele(places: Places, asked: Asked) -> Row:
    """The row of ``variants``, looked for as written, then in its normal form."""
    here = places.rows(VARIANTS, [(asked.contig, asked.position)])
    found = _same(here, asked)
    if found is None:
        fasta = places.warehouse.settings.genome.reference_fasta
        normal = asked.normal_form(ReferenceSequence(fasta, places.build) if fasta else None)
        if normal != asked:
            here += places.rows(VARIANTS, [(normal.contig, normal.position)])
            found = _same(here, normal)
    if found is None:
        raise NotFound(f"{asked.id} is not in the warehouse; {_nearest_help(places, asked, here)}")
    return found


def _same(rows: Sequence[Row], asked: Asked) -> Row | None:
    """Ids are compared, as a long allele may be given by its digest; without case, for breakends."""
    wanted = asked.id.lower()
    return next((row for row in rows if row.variant_id.lower() == wanted), None)


def _nearest_help(places: Places, asked: Asked, here: Sequence[Row]) -> str:
    if here:
        others = sorted({row.variant_id for row in here})
        return f"other alleles there: {shown(others)}"
    contigs = [row.contig for row in places.reader.read(VARIANTS).select("contig").distinct().collect()]
    if asked.contig not in contigs:
        return f"it has no variant on contig {asked.contig}; contigs: {shown(sorted(contigs))}"
    return f"it has no allele at {asked.contig}:{asked.position}"


def _keys_of_rs_number(places: Places, number: str) -> list[Key]:
    """Alleles of the cohort that catalogues, or else the callsets' own IDs, give the number to.

    A catalogue gives it to an allele; an ID of a callset is that of a record, with all its alleles.
    """
    reader = places.reader
    if reader.holds(NOVELTY):
        has = F.exists("reports", lambda report: _has_id(report["known_id"], number))
        found = read_novelty(places.warehouse, reader).where(has).select(*ALLELE_KEY).collect()
        if found:
            return sorted(map(key_of, found))
    known: list[Row] = []
    if reader.holds(KNOWN_VARIANTS):
        known = reader.read(KNOWN_VARIANTS).where(_has_id(F.col("known_id"), number)).collect()
        wanted = {key_of(row) for row in known}
        here = places.rows(VARIANTS, {(key[0], key[2]) for key in wanted})
        keys = sorted(wanted & {key_of(row) for row in here})
        if keys:
            return keys
    sites = reader.read(VARIANT_SITES).where(F.col("callset_id").isin(active_callsets(reader)))
    own = sites.where(_has_id(F.col("input_id"), number)).select(*ALLELE_KEY).distinct().collect()
    if not own:
        raise NotFound(_no_such_number(places, number, known))
    return sorted(map(key_of, own))


def _has_id(ids: Column, wanted: str) -> Column:
    return F.array_contains(F.split(ids, ";"), wanted)


def _no_such_number(places: Places, number: str, known: Sequence[Row]) -> str:
    if not known:
        where = f"novelty against {places.warehouse.settings.summary.catalogue_set}, the catalogues held"
        return f"{number} is not in the warehouse: neither in {where}, nor an ID of a callset"
    names = sorted({f"{row.catalogue} {row.version}" for row in known})
    alleles = sorted({variant_id(row.contig, row.position, row.ref, row.alt) for row in known})
    here = places.rows(VARIANTS, {(row.contig, row.position) for row in known})
    others = sorted({row.variant_id for row in here})
    have = f"which has other alleles there: {shown(others)}" if others else "which has no allele there"
    return f"{number} is {shown(alleles)} in {shown(names)}, and not in this cohort, {have}"
