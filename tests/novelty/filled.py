"""Warehouses with alleles of a cohort and of catalogues, and the status of each by plain Python."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from allofus_spark.genome import build_as_text, load_build, variant_id
from allofus_spark.tables import (
    BIN_WIDTH_PROPERTY,
    BUILD_PROPERTY,
    CALLSETS,
    CATALOGUES,
    KNOWN_PARTITIONS,
    KNOWN_VARIANTS,
    NOVELTY,
    VARIANTS,
    WHOLE_TABLE,
    Partition,
    RowsWrite,
    Run,
    Warehouse,
    content_hashes,
    start_run,
)

Allele = tuple[str, int, str, str]
BIN_WIDTH = 1_000
LENGTH = 1_000_000
FASTA, OTHER_FASTA = "fasta", "another fasta"


@dataclass(frozen=True)
class Known:
    """A version of a catalogue. ``covered``: (contig, first, last); none: all of chr1 and chr2."""

    name: str
    version: str
    alleles: Mapping[Allele, str | None]
    covered: tuple[tuple[str, int, int], ...] = (("chr1", 1, LENGTH), ("chr2", 1, LENGTH))
    normalised_with: str | None = FASTA
    date: dt.date | None = None


@dataclass(frozen=True)
class Cohort:
    """Alleles by the callset that first had them, and the FASTA of each callset."""

    alleles: Mapping[Allele, str]
    aligned_with: Mapping[str, str | None] = field(default_factory=lambda: {"c1": FASTA})


def put_cohort(warehouse: Warehouse, cohort: Cohort) -> None:
    date = dt.date(2026, 1, 1)
    callsets: list[tuple[object, ...]] = [
        (name, date, "GRCh38", 1, "", "", [], fasta, [], None) for name, fasta in cohort.aligned_with.items()
    ]
    variants = [
        (*_key(allele), variant_id(*allele), "snv", callset) for allele, callset in cohort.alleles.items()
    ]
    with start_run(warehouse, "put") as run:
        run.write(
            RowsWrite(CALLSETS, callsets, WHOLE_TABLE, _properties()),
            RowsWrite(VARIANTS, sorted(variants), WHOLE_TABLE),
        )


def put_known(warehouse: Warehouse, *versions: Known) -> None:
    catalogues: list[tuple[object, ...]] = []
    rows: list[tuple[object, ...]] = []
    for known in versions:
        covered = [dict(zip(("contig", "first", "last"), item, strict=True)) for item in known.covered]
        checksum = str(sorted(map(str, known.alleles.items())))
        head = (known.name, known.version, known.date, "GRCh38", checksum, [], known.normalised_with)
        catalogues.append((*head, covered, len(known.alleles), len(known.alleles), 0, 0))
        rows += [(known.name, known.version, *_key(allele), name) for allele, name in known.alleles.items()]
    own = " OR ".join(f"(catalogue = '{item.name}' AND version = '{item.version}')" for item in versions)
    with start_run(warehouse, "put") as run:
        run.write(
            RowsWrite(CATALOGUES, catalogues, own, _properties()),
            RowsWrite(KNOWN_VARIANTS, sorted(rows, key=lambda row: row[:-1]), own),
        )
        parts = [
            (known.name, known.version, *place, *content)
            for known in versions
            for place, content in _contents(run, known).items()
        ]
        run.write(RowsWrite(KNOWN_PARTITIONS, parts, own))


def _contents(run: Run, known: Known) -> dict[Partition, tuple[int, int]]:
    own = f"catalogue = '{known.name}' AND version = '{known.version}'"
    return content_hashes(run.read(KNOWN_VARIANTS).where(own), "position", "ref", "alt", "known_id")


def _key(allele: Allele) -> tuple[object, ...]:
    contig, position, ref, alt = allele
    return contig, position // BIN_WIDTH, position, ref, alt


def _properties() -> dict[str, str]:
    return {BUILD_PROPERTY: build_as_text(load_build("GRCh38")), BIN_WIDTH_PROPERTY: str(BIN_WIDTH)}


def statuses(warehouse: Warehouse, catalogue_set: str = "default") -> dict[Allele, tuple[object, ...]]:
    """(status, reason, ids by catalogue, site_known_to, compared_with) of each allele."""
    rows = warehouse.live(NOVELTY).where(f"catalogue_set = '{catalogue_set}'").collect()
    found = {
        (row.contig, row.position, row.ref, row.alt): (
            row.status,
            row.reason,
            {report.catalogue: report.known_id for report in row.reports},
            list(row.site_known_to),
            list(row.compared_with),
        )
        for row in rows
    }
    assert len(found) == len(rows)
    assert all(row.bin == row.position // BIN_WIDTH for row in rows)
    return found


def plain_statuses(cohort: Cohort, catalogues: Iterable[Known]) -> dict[Allele, tuple[object, ...]]:
    """What `statuses` must give, one allele after the other."""
    chosen = sorted(catalogues, key=lambda known: known.name)
    return {
        allele: _plain_status(allele, cohort.aligned_with[callset], chosen)
        for allele, callset in cohort.alleles.items()
    }


def _plain_status(allele: Allele, fasta: str | None, catalogues: list[Known]) -> tuple[object, ...]:
    contig, position, ref, alt = allele
    if "[" in alt or "]" in alt:
        return "not_assessable", "breakend", {}, [], []
    if not re.fullmatch("[A-Z]+", alt):
        return "not_assessable", "symbolic", {}, [], []
    if set(ref + alt) - set("ACGT"):
        return "not_assessable", "ambiguous_base", {}, [], []
    one_kept = min(len(ref), len(alt)) == 1 != max(len(ref), len(alt))
    moves = one_kept and (ref[0] == alt[0] or ref[-1] == alt[-1])
    ids: dict[str, str | None] = {}
    sites, compared, any_covers = [], [], False
    for known in catalogues:
        at_site: defaultdict[tuple[str, int], int] = defaultdict(int)
        for other in known.alleles:
            at_site[other[:2]] += 1
        covers = any(contig == name and first <= position <= last for name, first, last in known.covered)
        any_covers |= covers
        alike = not moves or (fasta is not None and fasta == known.normalised_with)
        if allele in known.alleles:
            ids[known.name] = known.alleles[allele]
            compared.append(known.name)
        elif alike:
            if at_site[contig, position]:
                sites.append(known.name)
            if covers:
                compared.append(known.name)
    if ids:
        return "reported", None, ids, sites, compared
    if sites:
        return "known_site_new_allele", None, ids, sites, compared
    if compared:
        return "unreported", None, ids, sites, compared
    return "not_assessable", "not_aligned" if any_covers else "not_covered", ids, sites, compared
