"""The pages of variants, genes and regions, and the JSON beside each of them."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from allofus_spark.browser import beacon
from allofus_spark.browser.answers import JSON_SUFFIX, as_json, name_asked, page, site_of, wants_json
from allofus_spark.browser.asked import Refused, Region, read_allele, read_region, read_rs_number
from allofus_spark.browser.finding import gene_regions, quoted, read_filters, read_start
from allofus_spark.browser.listing import Filters, counts_by_place, variant_page
from allofus_spark.browser.opened import OpenRelease, Row
from allofus_spark.browser.views import TRACK_BINS, described, frequency_lines, track
from allofus_spark.errors import readable
from allofus_spark.tables.consequence_tables import IMPACTS
from allofus_spark.tables.novelty_tables import STATUSES


def variant(request: Request) -> Response:
    """One variant."""
    opened, name = site_of(request).opened, name_asked(request)
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
    return _one(request, opened, row, {"variantInternalId": name})


def rs_number(request: Request) -> Response:
    """The alleles of an rs number: the variant itself where there is one."""
    opened, name = site_of(request).opened, name_asked(request)
    number = read_rs_number(name)
    if number is None:
        raise Refused(400, f"{readable(name)} is no rs number: write rs and digits, such as rs3827760.")
    rows = opened.variants_of_rs(number)
    if not rows:
        raise Refused(404, f"This release has no variant rs{number}.")
    if len(rows) == 1:
        return _one(request, opened, rows[0], {"rsid": name})
    if wants_json(request):
        records = [beacon.variation(opened, row) for row in rows]
        return as_json(beacon.resultset(opened, {"rsid": name}, records, len(rows)))
    return page(request, "several.html", {"title": f"rs{number}", "variants": rows})


def _one(request: Request, opened: OpenRelease, row: Row, parameters: dict[str, str]) -> Response:
    """The page of a variant that is there."""
    consequences, associations = opened.consequences_of(row), opened.associations_of(row)
    replications = opened.replications_of(row)
    if wants_json(request):
        record = beacon.variation(opened, row, consequences)
        record["info"] |= {"associations": associations, "replications": replications}
        return as_json(beacon.resultset(opened, parameters, [record], 1))
    address = f"/variant/{quoted(row['variant_id'])}"
    values = {
        "variant": row,
        "lines": frequency_lines(opened, row),
        "consequences": consequences,
        "associations": [described(opened, item) for item in associations],
        "replications": [described(opened, item) for item in replications],
        "contig_length": opened.build.contig_lengths[row["contig"]],
        "address": address,
        "json_address": address + JSON_SUFFIX,
    }
    return page(request, "variant.html", values)


def region(request: Request) -> Response:
    """Variants of a region."""
    opened, name = site_of(request).opened, name_asked(request)
    asked = read_region(name, opened.build, opened.settings.region_bases)
    if asked is None:
        raise Refused(
            400, f"{readable(name)} is no region: write CONTIG:START-END, such as 22:19940000-19970000."
        )
    return _list(request, asked, None, [])


def gene(request: Request) -> Response:
    """Variants of a gene."""
    found = gene_regions(site_of(request).opened, name_asked(request))
    chosen = request.query_params.get("contig")
    row, asked = next((item for item in found if item[0]["contig"] == chosen), found[0])
    return _list(request, asked, row, [item[0] for item in found if item[0] is not row])


def _list(request: Request, asked: Region, gene: Row | None, others: list[Row]) -> Response:
    """A page of variants of a region or gene; ``others``: the same gene on other contigs."""
    opened = site_of(request).opened
    filters, start = read_filters(request.query_params), read_start(request.query_params)
    symbol = None if gene is None else gene["gene_symbol"]
    most = opened.settings.page_rows
    found = variant_page(opened, asked, gene=symbol, filters=filters, start=start, most=most)
    if wants_json(request):
        parameters = (
            dict(request.query_params) | {"region": str(asked)} | ({"geneId": symbol} if symbol else {})
        )
        records = [beacon.variation_of_list(opened, row) for row in found.variants]
        return as_json(beacon.resultset(opened, parameters, records, found.total, following=found.following))
    counts = counts_by_place(opened, asked, TRACK_BINS) or []
    values = {
        "title": f"{asked.contig}:{asked.first:,}-{asked.last:,}" if gene is None else gene["gene_symbol"],
        "gene": gene,
        "others": others,
        "found": found,
        "filters": filters,
        "start": start,
        "track": list(track(counts)),
        "most_here": max(counts, default=0),
        "novelties": STATUSES,
        "impacts": IMPACTS,
        "next_query": _query_of(request, filters, found.following),
        "json_query": _query_of(request, filters, start or None),
    }
    return page(request, "list.html", values)


def _query_of(request: Request, filters: Filters, start: int | None) -> str:
    pairs = {
        "contig": request.query_params.get("contig"),
        "consequence": filters.consequence,
        "impact": filters.impact,
        "novelty": filters.novelty,
        "start": None if start is None else str(start),
    }
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs.items() if value)
