"""The pages of the release, its phenotypes and its files, and where every page is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from allofus_spark.browser import variant_pages
from allofus_spark.browser.answers import JSON_SUFFIX, as_json, name_asked, page, site_of, wants_json
from allofus_spark.browser.asked import Refused
from allofus_spark.browser.finding import address_of
from allofus_spark.browser.opened import Row
from allofus_spark.browser.site import REPORT
from allofus_spark.browser.views import phenotype_facts
from allofus_spark.errors import readable
from allofus_spark.pages import style_sheet

# The report is one file: its style is in it.
_REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


def home(request: Request) -> Response:
    """The release at a glance."""
    site = site_of(request)
    if wants_json(request):
        return as_json(site.manifest.model_dump(mode="json"))
    order = {name: number for number, name in enumerate(site.manifest.groups)}
    groups = sorted(site.opened.small("groups"), key=lambda row: order.get(row["ancestry"], len(order)))
    return page(request, "home.html", {"facts": site.facts(), "groups": groups})


def search(request: Request) -> Response:
    """Where the asked thing is."""
    return RedirectResponse(address_of(site_of(request).opened, request.query_params.get("q", "")), 303)


def phenotypes(request: Request) -> Response:
    """Every phenotype."""
    opened = site_of(request).opened
    if not opened.has("phenotypes"):
        raise Refused(404, "This release has no phenotypes.")
    held = [phenotype_facts(opened, item) for item in opened.phenotypes]
    if wants_json(request):
        return as_json({"release": opened.manifest.release, "phenotypes": held})
    return page(request, "phenotypes.html", {"phenotypes": held})


def phenotype(request: Request) -> Response:
    """One phenotype: its numbers of people, and its strongest associations."""
    opened, name = site_of(request).opened, name_asked(request)
    facts = phenotype_facts(opened, name)
    if facts is None:
        raise Refused(404, f"This release has no phenotype {readable(name)}.")
    top = opened.top_associations(name)
    if wants_json(request):
        return as_json({"release": opened.manifest.release, "phenotype": facts, "associations": top})
    by_scan: dict[tuple[str, str], list[Row]] = {}
    for row in top:
        by_scan.setdefault((row["scan"], row["ancestry"]), []).append(row)
    address = f"/phenotype/{quote(name, safe='')}{JSON_SUFFIX}"
    return page(request, "phenotype.html", {"phenotype": facts, "scans": by_scan, "json_address": address})


def data(request: Request) -> Response:
    """Downloads, and what each column means."""
    site = site_of(request)
    sizes = {name: path.stat().st_size for name, path in site.files.items() if _is_there(path)}
    if wants_json(request):
        products = [product.model_dump(mode="json") for product in site.manifest.products]
        return as_json({"release": site.manifest.release, "files": sizes, "products": products})
    return page(request, "data.html", {"sizes": sizes})


def download(request: Request) -> Response:
    """One file of the release."""
    path = site_of(request).files.get(request.path_params["name"])
    if path is None or not _is_there(path):
        raise Refused(404, "The release has no such file. Its files are listed under Data.")
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


def report(request: Request) -> Response:
    """The report, as it lies in the release."""
    site = site_of(request)
    path = site.opened.folder / REPORT
    if not _is_there(path):
        raise Refused(404, "This release has no report.")
    headers = {"content-security-policy": _REPORT_POLICY}
    return FileResponse(path, media_type="text/html", headers=headers)


def _is_there(path: Path) -> bool:
    """Whether a file of the release is still one: somebody may move it, or lay a link in its place."""
    return path.is_file() and not path.is_symlink()


def sheet(_: Request) -> Response:
    """The style sheet."""
    return Response(style_sheet(), media_type="text/css", headers={"cache-control": "public, max-age=86400"})


PAGES: dict[str, Callable[[Request], Response]] = {
    "/": home,
    "/release.json": home,
    "/search": search,
    "/variant/{name}": variant_pages.variant,
    "/rs/{name}": variant_pages.rs_number,
    "/gene/{name}": variant_pages.gene,
    "/region/{name}": variant_pages.region,
    "/phenotypes": phenotypes,
    "/phenotypes.json": phenotypes,
    "/phenotype/{name}": phenotype,
    "/data": data,
    "/data.json": data,
    "/files/{name:path}": download,
    "/report": report,
    "/style.css": sheet,
}
