"""From what is asked to where its page is, and what a list of variants is asked to show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from allofus_spark.browser.asked import Refused, Region, checked, read_allele, read_region, read_rs_number
from allofus_spark.browser.listing import Filters
from allofus_spark.browser.opened import OpenRelease, Row
from allofus_spark.errors import readable
from allofus_spark.tables.novelty_tables import STATUSES

_MOST_LETTERS = 500
_TERM = re.compile(r"[A-Za-z0-9_]{1,60}")
_START = re.compile(r"[0-9]{1,12}")


def address_of(opened: OpenRelease, text: str) -> str:
    """The address of what a person wrote: a variant, an rs number, a region, a gene or a phenotype."""
    asked = text.strip()
    if not asked:
        raise Refused(400, "Write a variant, an rs number, a gene or a region.")
    if len(asked) > _MOST_LETTERS:
        raise Refused(400, f"At most {_MOST_LETTERS} letters are searched for; {len(asked):,} were given.")
    if read_rs_number(asked) is not None:
        return f"/rs/{asked.lower()}"
    if opened.genes(asked):
        return f"/gene/{quoted(opened.genes(asked)[0]['gene_symbol'])}"
    allele = read_allele(asked, opened.build)
    if allele is not None:
        name = opened.build.variant_id(allele.contig, allele.position, allele.ref, allele.alt)
        return f"/variant/{quoted(name)}"
    region = read_region(asked, opened.build, opened.settings.region_bases)
    if region is not None:
        return f"/region/{quoted(str(region))}"
    if asked in opened.phenotypes:
        return f"/phenotype/{quoted(asked)}"
    raise Refused(
        404,
        f"Nothing here is called {readable(asked)}. Variants are written 2-108897145-A-G or rs3827760, "
        "regions 22:19940000-19970000, genes by symbol or id.",
    )


def quoted(text: str) -> str:
    """The text as part of an address."""
    return quote(text, safe=":*")


def gene_regions(opened: OpenRelease, name: str) -> list[tuple[Row, Region]]:
    """A gene's rows, each with the region that its variants span; refuses a name that is not there."""
    if not opened.has("genes"):
        raise Refused(404, "This release has no genes: its variants are not annotated.")
    genes = opened.genes(name)
    if not genes:
        raise Refused(404, f"This release has no variant with a consequence in a gene {readable(name)}.")
    most = max(opened.build.contig_lengths.values())
    return [
        (row, checked(Region(row["contig"], row["first_position"], row["last_position"]), opened.build, most))
        for row in genes
    ]


def read_filters(query: Mapping[str, str]) -> Filters:
    """Filters of a list; refuses a novelty that there is not, and what is no term."""
    novelty = query.get("novelty") or None
    if novelty is not None and novelty not in STATUSES:
        raise Refused(400, f"novelty is one of {', '.join(STATUSES)}, not {readable(novelty)}.")
    given = {name: query.get(name) or None for name in ("consequence", "impact")}
    for name, value in given.items():
        if value is not None and not _TERM.fullmatch(value):
            raise Refused(400, f"{name} {readable(value)} is no term: letters, digits and _ only.")
    return Filters(consequence=given["consequence"], impact=given["impact"], novelty=novelty)


def read_start(query: Mapping[str, str]) -> int:
    """Row that a list begins at."""
    text = query.get("start") or "0"
    if not _START.fullmatch(text):
        raise Refused(400, f"start {readable(text)} is no row: write a whole number, 0 or more.")
    return int(text)
