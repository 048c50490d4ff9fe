"""The Beacon v2 endpoints of genomic variations, and those that say what this Beacon is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from allofus_spark import __version__
from allofus_spark.browser import beacon
from allofus_spark.browser.answers import as_json
from allofus_spark.browser.asked import Allele, Refused, Region, checked, read_allele, read_contig, trimmed
from allofus_spark.browser.finding import gene_regions
from allofus_spark.browser.listing import Filters, variant_page
from allofus_spark.browser.opened import OpenRelease, Row
from allofus_spark.errors import readable

_GRANULARITIES = ("boolean", "count", "record")
_KNOWN = {"referenceName", "start", "end", "referenceBases", "alternateBases", "geneId", "variantType"}
_KNOWN |= {"assemblyId", "requestedGranularity", "skip", "limit", "includeResultsetResponses", "testMode"}
_KNOWN |= {"requestedSchema", "apiVersion"}
_LIMIT = 10
_DIGITS = 12


def variations(request: Request) -> Response:
    """/beacon/g_variants: by allele, by range or by gene."""
    opened: OpenRelease = request.app.state.site.opened
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
    records, total = _found(opened, query, skip, limit)
    answer = beacon.resultset(opened, query, records, total, granularity=granularity, skip=skip, limit=limit)
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


def _found(
    opened: OpenRelease, query: dict[str, str], skip: int, limit: int
) -> tuple[list[dict[str, Any]], int | None]:
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
    return records[skip : skip + limit], len(records)


def _listed(
    opened: OpenRelease, query: dict[str, str], region: Region, gene: str | None, skip: int, limit: int
) -> tuple[list[dict[str, Any]], int | None]:
    """A page of a region's variants; those of a gene, or with an allele asked for, are not counted."""
    rows = _rows(opened, query, region, gene, skip)
    records = [beacon.variation_of_list(opened, row) for row, _ in zip(rows, range(limit), strict=False)]
    is_whole = gene is None and not {"alternateBases", "referenceBases", "variantType"} & set(query)
    total = len(opened.rows_between(region.contig, region.first, region.last)) if is_whole else None
    return records, total


def _rows(
    opened: OpenRelease, query: dict[str, str], region: Region, gene: str | None, skip: int
) -> Iterator[Row]:
    """Rows that fit the query after ``skip`` of them, from as many pages as the setting allows."""
    wanted = {"ref": query.get("referenceBases"), "alt": query.get("alternateBases")}
    start: int | None = 0
    for _ in range(opened.settings.scan_batches):
        if start is None:
            return
        page = variant_page(
            opened, region, gene=gene, filters=Filters(), start=start, most=opened.settings.page_rows
        )
        start = page.following
        for row in page.variants:
            if any(value and row[name] != value.upper() for name, value in wanted.items()):
                continue
            if query.get("variantType") and beacon.type_of(row) != query["variantType"].upper():
                continue
            if skip:
                skip -= 1
                continue
            yield row


def one_variation(request: Request) -> Response:
    """/beacon/g_variants/{id}: one variant by its id."""
    opened: OpenRelease = request.app.state.site.opened
    name = str(request.path_params["name"])
    allele = read_allele(name, opened.build)
    row = None if allele is None else opened.variant(allele)
    if row is None:
        raise Refused(404, f"This Beacon has no variation {readable(name)}.")
    record = beacon.variation(opened, row, opened.consequences_of(row))
    return as_json(beacon.resultset(opened, {"id": name}, [record], 1))


def info(request: Request) -> Response:
    """/beacon/info: what this Beacon is."""
    opened: OpenRelease = request.app.state.site.opened
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
    return as_json(
        {
            "meta": {"beaconId": beacon.BEACON_ID, "apiVersion": beacon.API_VERSION, "returnedSchemas": []},
            "response": response,
        }
    )


def _informational() -> dict[str, Any]:
    return {"beaconId": beacon.BEACON_ID, "apiVersion": beacon.API_VERSION, "returnedSchemas": []}


def service_info(request: Request) -> Response:
    """/beacon/service-info: the same for GA4GH's registries."""
    return as_json(
        {
            "id": beacon.BEACON_ID,
            "name": f"Release {request.app.state.site.manifest.release}",
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
