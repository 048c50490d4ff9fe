"""The Beacon v2 endpoints of genomic variations, and those that say what this Beacon is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from allofus_spark import __version__
from allofus_spark.browser import beacon
from allofus_spark.browser.answers import as_json, site_of
from allofus_spark.browser.asked import Allele, Refused, Region, checked, read_allele, read_contig, trimmed
from allofus_spark.browser.finding import gene_regions
from allofus_spark.browser.listing import Filters, VariantPage, variant_page
from allofus_spark.browser.opened import OpenRelease, Row
from allofus_spark.errors import readable

_GRANULARITIES = ("boolean", "count", "record")
_KNOWN = {"referenceName", "start", "end", "referenceBases", "alternateBases", "geneId", "variantType"}
_KNOWN |= {"assemblyId", "requestedGranularity", "skip", "limit", "includeResultsetResponses", "testMode"}
_KNOWN |= {"requestedSchema", "apiVersion"}
_FILTERS = {"referenceBases", "alternateBases", "variantType"}
_LIMIT = 10
# Pages that one answer looks through for alleles that fit.
_MOST_PAGES = 16
_DIGITS = 12


def variations(request: Request) -> Response:
    """/beacon/g_variants: by allele, by range or by gene."""
    opened = site_of(request).opened
    query = dict(request.query_params)
    if unknown := sorted(set(query) - _KNOWN):
        raise Refused(400, f"This Beacon does not take the parameter {readable(unknown[0])}.")
    granularity = query.get("requestedGranularity", "record")
    if granularity not in _GRANULARITIES:
        raise Refused(400, f"requestedGranularity is one of {', '.join(_GRANULARITIES)}.")
    if query.get("assemblyId", opened.build.name).lower() not in {opened.build.name.lower(), _ucsc(opened)}:
        raise Refused(400, f"This Beacon has {opened.build.name} only.")
    skip, limit = _number(query, "skip", 0), _number(query, "limit", _LIMIT)
    limit = min(limit or opened.settings.page_rows, opened.settings.page_rows)
    found = _found(opened, query, skip, limit)
    answer = beacon.resultset(
        opened, query, found.records, found.total, granularity=granularity, skip=skip, limit=limit
    )
    if found.looked_until is not None:
        text = f"Looked through up to position {found.looked_until:,}; ask for a range from there on."
        answer["info"] = {"isComplete": False, "description": text}
    return as_json(answer)


def _ucsc(opened: OpenRelease) -> str:
    return {"GRCh38": "hg38", "GRCh37": "hg19"}.get(opened.build.name, opened.build.name.lower())


def _number(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise Refused(400, f"{name} {readable(text)} is no whole number, 0 or more.")
    return int(text)


class Found(NamedTuple):
    """Records of a page; ``total`` None: not counted; ``looked_until``: where looking ended early."""

    records: list[dict[str, Any]]
    total: int | None
    looked_until: int | None = None


def _found(opened: OpenRelease, query: dict[str, str], skip: int, limit: int) -> Found:
    if "geneId" in query:
        row, region = gene_regions(opened, query["geneId"])[0]
        return _listed(opened, query, region, row["gene_symbol"], skip, limit)
    for name in ("referenceName", "start"):
        if name not in query:
            raise Refused(400, "Give geneId, or referenceName and start with alternateBases or end.")
    contig = read_contig(query["referenceName"], opened.build)
    if "," in query["start"] or "," in query.get("end", ""):
        raise Refused(400, "Bracket queries, with two values of start or end, are not answered here.")
    start = _number(query, "start", 0)
    if "end" in query:
        region = Region(contig, start + 1, _number(query, "end", 0))
        region = checked(region, opened.build, opened.settings.region_bases)
        return _listed(opened, query, region, None, skip, limit)
    if not {"referenceBases", "alternateBases"} <= set(query):
        raise Refused(400, "A query by start alone needs referenceBases and alternateBases.")
    ref, alt = query["referenceBases"].upper(), query["alternateBases"].upper()
    found = opened.variant(trimmed(Allele(contig, start + 1, ref, alt)))
    records = [] if found is None else [beacon.variation(opened, found, opened.consequences_of(found))]
    return Found(records[skip : skip + limit], len(records))


def _listed(
    opened: OpenRelease, query: dict[str, str], region: Region, gene: str | None, skip: int, limit: int
) -> Found:
    """A page of a region's variants; those of a gene, or of alleles that are asked for, are not counted."""
    if gene is None and not _FILTERS & set(query):
        total = len(opened.rows_between(region.contig, region.first, region.last))
        page = _page(opened, region, None, min(skip, total), limit)
        return Found([beacon.variation_of_list(opened, row) for row in page.variants], total)
    found: list[Row] = []
    start, until = 0, region.first
    for _ in range(_MOST_PAGES):
        page = _page(opened, region, gene, start, opened.settings.page_rows)
        found += [row for row in page.variants if _fits(row, query)]
        shown = found[skip : skip + limit]
        records = [beacon.variation_of_list(opened, row) for row in shown]
        if page.following is None or len(shown) == limit:
            return Found(records, None)
        start = page.following
        until = page.looked_until or page.variants[-1]["position"]
    return Found(records, None, until)


def _page(opened: OpenRelease, region: Region, gene: str | None, start: int, most: int) -> VariantPage:
    return variant_page(opened, region, gene=gene, filters=Filters(), start=start, most=most)


def _fits(row: Row, query: dict[str, str]) -> bool:
    """Whether a variant has the bases and the type that are asked for."""
    given = {"referenceBases": row["ref"], "alternateBases": row["alt"], "variantType": beacon.type_of(row)}
    return all(name not in query or query[name].upper() == value for name, value in given.items())


def one_variation(request: Request) -> Response:
    """/beacon/g_variants/{id}: one variant by its id."""
    opened = site_of(request).opened
    name = str(request.path_params["name"])
    allele = read_allele(name, opened.build)
    row = None if allele is None else opened.variant(allele)
    if row is None:
        raise Refused(404, f"This Beacon has no variation {readable(name)}.")
    record = beacon.variation(opened, row, opened.consequences_of(row))
    return as_json(beacon.resultset(opened, {"id": name}, [record], 1))


def info(request: Request) -> Response:
    """/beacon/info: what this Beacon is."""
    opened = site_of(request).opened
    organisation = {"id": "allofus-spark", "name": "allofus-spark"}
    response = {
        "id": beacon.BEACON_ID,
        "name": f"Release {opened.manifest.release}",
        "apiVersion": beacon.API_VERSION,
        "environment": "prod",
        "version": __version__,
        "organization": organisation,
        "description": f"Alleles of {opened.build.name} with frequencies by ancestry. Counts of 1 to "
        f"{opened.manifest.floor} people, and what would tell of them, are withheld.",
    }
    return as_json({"meta": _informational(), "response": response})


def _informational() -> dict[str, Any]:
    return {"beaconId": beacon.BEACON_ID, "apiVersion": beacon.API_VERSION, "returnedSchemas": []}


def service_info(request: Request) -> Response:
    """/beacon/service-info: the same for GA4GH's registries."""
    return as_json(
        {
            "id": beacon.BEACON_ID,
            "name": f"Release {site_of(request).manifest.release}",
            "type": {"group": "org.ga4gh", "artifact": "beacon", "version": beacon.API_VERSION},
            "organization": {"name": "allofus-spark", "url": "/"},
            "version": __version__,
        }
    )


def beacon_map(_: Request) -> Response:
    """/beacon/map: which endpoints there are."""
    endpoint = {
        "entryType": "genomicVariant",
        "rootUrl": "/beacon/g_variants",
        "singleEntryUrl": "/beacon/g_variants/{id}",
    }
    return as_json({"meta": _informational(), "response": {"endpointSets": {"genomicVariant": endpoint}}})


BEACON: dict[str, Callable[[Request], Response]] = {
    "/beacon": info,
    "/beacon/": info,
    "/beacon/info": info,
    "/beacon/service-info": service_info,
    "/beacon/map": beacon_map,
    "/beacon/g_variants": variations,
    "/beacon/g_variants/{name}": one_variation,
}
