"""Find variants by id, rs number or gene, as of the newest snapshot; nothing is locked."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, Row
from pyspark.sql import functions as F

from allofus_spark.cohort import active_callsets, configured_reference, newest_of_each, newest_versions
from allofus_spark.errors import NotFound, shown
from allofus_spark.genome import variant_id
from allofus_spark.query.asked import NamedAllele, read_allele, read_rs_number
from allofus_spark.query.listing import ListedVariant, list_alleles, list_gene
from allofus_spark.query.places import Key, Places, key_of
from allofus_spark.query.variant import VariantReport, describe_variant
from allofus_spark.tables import ALLELE_KEY, CATALOGUES, KNOWN_VARIANTS, VARIANT_SITES, VARIANTS, Warehouse


@dataclass(frozen=True)
class VariantList:
    """Variants of a gene, highest impact first, or of an rs number, by place: the first of ``total``."""

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
        return _gene(places, text, most)
    try:
        keys = _keys_of_rs_number(places, number)
    except NotFound:
        # RS1 is a gene.
        with suppress(NotFound):
            return _gene(places, text, most)
        raise
    if len(keys) == 1:
        return describe_variant(places, _find_allele(places, _asked(keys[0])))
    return VariantList(number, len(keys), list_alleles(places, keys[:most]))


def _gene(places: Places, text: str, most: int) -> VariantList:
    total, variants = list_gene(places, text.strip(), most)
    return VariantList(f"gene {text.strip()}", total, variants)


def _asked(key: Key) -> NamedAllele:
    return NamedAllele(key[0], key[2], key[3], key[4])


def _find_allele(places: Places, asked: NamedAllele) -> Row:
    """The row of ``variants``, looked for as written, then in its normal form."""
    here = places.rows(VARIANTS, [(asked.contig, asked.position)])
    found = _same(here, asked)
    if found is None:
        normal = asked.normal_form(configured_reference(places.warehouse, places.build))
        if normal != asked:
            here += places.rows(VARIANTS, [(normal.contig, normal.position)])
            found = _same(here, normal)
    if found is None:
        raise NotFound(f"{asked.id} is not in the warehouse; {_nearest_help(places, asked, here)}")
    return found


def _same(rows: Sequence[Row], asked: NamedAllele) -> Row | None:
    """Ids are compared, as a long allele may be given by its digest; without case, for breakends."""
    wanted = asked.id.lower()
    return next((row for row in rows if row.variant_id.lower() == wanted), None)


def _nearest_help(places: Places, asked: NamedAllele, here: Sequence[Row]) -> str:
    if here:
        others = sorted({row.variant_id for row in here})
        return f"other alleles there: {shown(others)}"
    contigs = places.contigs(VARIANTS)
    if asked.contig not in contigs:
        return f"it has no variant on contig {asked.contig}; contigs: {shown(sorted(contigs))}"
    return f"it has no allele at {asked.contig}:{asked.position}"


def _keys_of_rs_number(places: Places, number: str) -> list[Key]:
    """Alleles of the cohort that the catalogues now, or else the callsets' own IDs, give the number to.

    A catalogue gives it to an allele; an ID of a callset is that of a record, with all its alleles.
    """
    reader = places.reader
    versions = _versions_now(places)
    known: list[Row] = []
    if versions and reader.holds(KNOWN_VARIANTS):
        is_now = reduce(operator.or_, map(_is_version, versions, versions.values()))
        known = reader.read(KNOWN_VARIANTS).where(is_now & _has_id("known_id", number)).collect()
        wanted = {key_of(row) for row in known}
        here = places.rows(VARIANTS, {(key[0], key[2]) for key in wanted})
        keys = sorted(wanted & {key_of(row) for row in here})
        if keys:
            return keys
    sites = reader.read(VARIANT_SITES).where(F.col("callset_id").isin(active_callsets(reader)))
    own = sites.where(_has_id("input_id", number)).select(*ALLELE_KEY).distinct().collect()
    if not own:
        raise NotFound(_no_such_number(places, number, known, versions))
    return sorted(map(key_of, own))


def _versions_now(places: Places) -> dict[str, str]:
    """Version of each catalogue of ``summary.catalogue_set``; before there is such a set, of every one held,
    the newest, as ``flag-novelty`` would choose it."""
    versions = newest_versions(places.reader, places.warehouse.settings.summary.catalogue_set)
    held = places.reader.rows(CATALOGUES)
    return versions or {row.catalogue: row.version for row in newest_of_each(held)}


def _is_version(catalogue: str, version: str) -> Column:
    return (F.col("catalogue") == catalogue) & (F.col("version") == version)


def _has_id(ids: str, wanted: str) -> Column:
    """Whether a column of IDs joined by ``;`` has one; that it is in the text can be told without a split."""
    return F.contains(F.col(ids), F.lit(wanted)) & F.array_contains(F.split(ids, ";"), wanted)


def _no_such_number(places: Places, number: str, known: Sequence[Row], versions: Mapping[str, str]) -> str:
    if not known:
        catalogues = [f"{name} {version}" for name, version in versions.items()]
        where = f"in {shown(catalogues)}" if catalogues else "in a catalogue, as none is held"
        return f"{number} is not in the warehouse: neither {where}, nor an ID of a callset"
    names = sorted({f"{row.catalogue} {row.version}" for row in known})
    alleles = sorted({variant_id(row.contig, row.position, row.ref, row.alt) for row in known})
    here = places.rows(VARIANTS, {(row.contig, row.position) for row in known})
    others = sorted({row.variant_id for row in here})
    have = f"which has other alleles there: {shown(others)}" if others else "which has no allele there"
    return f"{number} is {shown(alleles)} in {shown(names)}, and not in this cohort, {have}"
