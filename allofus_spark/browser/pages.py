"""The pages for people, and the JSON beside each of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from allofus_spark.browser import beacon
from allofus_spark.browser.answers import JSON_SUFFIX, as_json, page, wants_json
from allofus_spark.browser.asked import Refused, read_allele, read_region, read_rs_number
from allofus_spark.browser.finding import address_of, gene_regions, read_filters, read_start
from allofus_spark.browser.listing import NOVELTIES, Filters, positions_of, variant_page
from allofus_spark.browser.opened import Row
from allofus_spark.browser.site import REPORT, Site
from allofus_spark.browser.views import TRACK_BINS, described, frequency_lines, phenotype_facts, track
from allofus_spark.errors import readable
from allofus_spark.pages import style_sheet

_IMPACTS = ("HIGH", "MODERATE", "LOW", "MODIFIER")
_REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


def _site(request: Request) -> Site:
    return request.app.state.site  # type: ignore[no-any-return]


def _named(request: Request) -> str:
    """The last part of the address, without .json."""
    return str(request.path_params["name"]).removesuffix(JSON_SUFFIX)


def home(request: Request) -> Response:
    """The release at a glance."""
    site = _site(request)
    if wants_json(request):
        return as_json(site.manifest.model_dump(mode="json"))
    order = {name: number for number, name in enumerate(site.manifest.groups)}
    groups = sorted(site.opened.small("groups"), key=lambda row: order.get(row["ancestry"], len(order)))
    return page(request, "home.html", {"facts": site.facts(), "groups": groups})


def search(request: Request) -> Response:
    """Where the asked thing is."""
    return RedirectResponse(address_of(_site(request).opened, request.query_params.get("q", "")), 303)


def variant(request: Request) -> Response:
    """One variant."""
    site = _site(request)
    opened, name = site.opened, _named(request)
    allele = read_allele(name, opened.build)
    if allele is None:
        raise Refused(
            400, f"{readable(name)} is no variant: write contig-position-ref-alt, such as 2-108897145-A-G."
        )
    row = opened.variant(allele)
    if row is None:
        raise Refused(
            404, f"This release has no variant {readable(name)}. Alleles are looked up in their normal form."
        )
    consequences, associations = opened.consequences_of(row), opened.associations_of(row)
    replications = opened.replications_of(row)
    if wants_json(request):
        record = beacon.variation(opened, row, consequences)
        record["info"] |= {"associations": associations, "replications": replications}
        return as_json(beacon.resultset(opened, {"variantInternalId": name}, [record], 1))
    values = {
        "variant": row,
        "lines": frequency_lines(opened, row),
        "consequences": consequences,
        "associations": [described(opened, item) for item in associations],
        "replications": [described(opened, item) for item in replications],
        "contig_length": opened.build.contig_lengths[row["contig"]],
        "json_address": f"/variant/{quote(row['variant_id'], safe=':*')}{JSON_SUFFIX}",
    }
    return page(request, "variant.html", values)


def rs_number(request: Request) -> Response:
    """The alleles of an rs number: the variant itself where there is one."""
    opened, name = _site(request).opened, _named(request)
    number = read_rs_number(name)
    if number is None:
        raise Refused(400, f"{readable(name)} is no rs number: write rs and digits, such as rs3827760.")
    alleles = opened.alleles_of_rs(number)
    if not alleles:
        raise Refused(404, f"This release has no variant rs{number}.")
    ids = [row["variant_id"] for row in alleles]
    if len(ids) == 1:
        suffix = JSON_SUFFIX if wants_json(request) else ""
        return RedirectResponse(f"/variant/{quote(ids[0], safe=':*')}{suffix}", 303)
    rows = [
        row for item in ids if (found := read_allele(item, opened.build)) and (row := opened.variant(found))
    ]
    if wants_json(request):
        return as_json(
            beacon.resultset(
                opened, {"rsid": name}, [beacon.variation(opened, row) for row in rows], len(rows)
            )
        )
    return page(request, "several.html", {"title": f"rs{number}", "variants": rows})


def region(request: Request) -> Response:
    """Variants of a region."""
    opened, name = _site(request).opened, _named(request)
    asked = read_region(name, opened.build, opened.settings.region_bases)
    if asked is None:
        raise Refused(
            400, f"{readable(name)} is no region: write CONTIG:START-END, such as 22:19940000-19970000."
        )
    return _list(request, asked, title=str(asked), gene=None)


def gene(request: Request) -> Response:
    """Variants of a gene."""
    opened, name = _site(request).opened, _named(request)
    found = gene_regions(opened, name)
    chosen = request.query_params.get("contig")
    row, asked = next((item for item in found if item[0]["contig"] == chosen), found[0])
    return _list(
        request,
        asked,
        title=row["gene_symbol"],
        gene=row,
        others=[item[0] for item in found if item[0] is not row],
    )


def _list(
    request: Request, asked: Any, *, title: str, gene: Row | None, others: list[Row] | None = None
) -> Response:
    opened = _site(request).opened
    filters, start = read_filters(request.query_params), read_start(request.query_params)
    symbol = None if gene is None else gene["gene_symbol"]
    found = variant_page(
        opened, asked, gene=symbol, filters=filters, start=start, most=opened.settings.page_rows
    )
    if wants_json(request):
        parameters = (
            dict(request.query_params) | {"region": str(asked)} | ({"geneId": symbol} if symbol else {})
        )
        records = [beacon.variation_of_list(opened, row) for row in found.variants]
        answer = beacon.resultset(opened, parameters, records, found.total, following=found.following)
        return as_json(answer)
    counts = positions_of(opened, asked, TRACK_BINS)
    values = {
        "title": title,
        "gene": gene,
        "others": others or [],
        "found": found,
        "filters": filters,
        "start": start,
        "track": list(track(list(counts))) if counts else [],
        "most_here": max(counts, default=0) if counts else 0,
        "novelties": NOVELTIES,
        "impacts": _IMPACTS,
        "next_query": _query_of(filters, found.following, request),
        "json_query": _query_of(filters, start or None, request),
    }
    return page(request, "list.html", values)


def _query_of(filters: Filters, start: int | None, request: Request) -> str:
    pairs = {
        "contig": request.query_params.get("contig"),
        "consequence": filters.consequence,
        "impact": filters.impact,
        "novelty": filters.novelty,
        "start": None if start is None else str(start),
    }
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs.items() if value)


def phenotypes(request: Request) -> Response:
    """Every phenotype."""
    opened = _site(request).opened
    if not opened.has("phenotypes"):
        raise Refused(404, "This release has no phenotypes.")
    held = [phenotype_facts(opened, item) for item in opened.phenotypes]
    if wants_json(request):
        return as_json({"release": opened.manifest.release, "phenotypes": held})
    return page(request, "phenotypes.html", {"phenotypes": held})


def phenotype(request: Request) -> Response:
    """One phenotype: its numbers of people, and its strongest associations."""
    opened, name = _site(request).opened, _named(request)
    facts = phenotype_facts(opened, name)
    if facts is None:
        raise Refused(404, f"This release has no phenotype {readable(name)}.")
    top = opened.top_associations(name)
    if wants_json(request):
        return as_json({"release": opened.manifest.release, "phenotype": facts, "associations": top})
    by_scan: dict[tuple[str, str], list[Row]] = {}
    for row in top:
        by_scan.setdefault((row["scan"], row["ancestry"]), []).append(row)
    return page(
        request,
        "phenotype.html",
        {
            "phenotype": facts,
            "scans": by_scan,
            "json_address": f"/phenotype/{quote(name, safe='')}{JSON_SUFFIX}",
        },
    )


def data(request: Request) -> Response:
    """Downloads, and what each column means."""
    site = _site(request)
    if wants_json(request):
        return as_json(
            {"files": {name: path.stat().st_size for name, path in site.files.items()}}
            | {"products": [product.model_dump(mode="json") for product in site.manifest.products]}
        )
    sizes = {name: path.stat().st_size for name, path in site.files.items()}
    return page(request, "data.html", {"sizes": sizes, "example": json.dumps(site.manifest.release)})


def download(request: Request) -> Response:
    """One file of the release."""
    path = _site(request).files.get(request.path_params["name"])
    if path is None:
        raise Refused(404, "The release has no such file. Its files are listed under Data.")
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


def report(request: Request) -> Response:
    """The report, as it lies in the release."""
    site = _site(request)
    if not site.has_report:
        raise Refused(404, "This release has no report.")
    return FileResponse(
        site.opened.folder / REPORT,
        media_type="text/html",
        headers={"content-security-policy": _REPORT_POLICY},
    )


def sheet(request: Request) -> Response:
    """The style sheet."""
    return Response(style_sheet(), media_type="text/css", headers={"cache-control": "public, max-age=86400"})


PAGES: dict[str, Callable[[Request], Response]] = {
    "/": home,
    "/search": search,
    "/variant/{name}": variant,
    "/rs/{name}": rs_number,
    "/gene/{name}": gene,
    "/region/{name}": region,
    "/phenotypes": phenotypes,
    "/phenotype/{name}": phenotype,
    "/data": data,
    "/files/{name:path}": download,
    "/report": report,
    "/style.css": sheet,
    "/release.json": home,
    "/data.json": data,
    "/phenotypes.json": phenotypes,
}
