"""Screens of one variant, and of a list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from allofus_spark.cli.screen import bar, grid

if TYPE_CHECKING:
    from allofus_spark.query import VariantList, VariantReport

_BAR_WIDTH = 24
_MOST_TRANSCRIPTS = 12
_LONG_ALLELE = 24
_GROUP_NAMES = {"overall_xx": "XX", "overall_xy": "XY"}


def draw_list(found: VariantList, console: Console) -> None:
    """Print a line a variant, and how many more there are."""
    numbers = ("AC", "AN", "AF")
    table = grid(
        f"{found.asked}: {found.total:,} variants",
        *("variant", "gene", "consequence", "amino acids", *numbers, "novelty"),
        numbers=numbers,
    )
    for item in found.variants:
        texts = (item.variant_id, item.gene_symbol, item.term, item.aa_change)
        counts = (_number(item.ac), _number(item.an), _frequency(item.an, item.af))
        table.add_row(*(escape(text or "") for text in texts), *counts, item.status or "")
    console.print(table)
    if found.total > len(found.variants):
        more = found.total - len(found.variants)
        order = "Highest impact first, then by place." if found.asked.startswith("gene ") else "By place."
        console.print(f"{more:,} more variants; --rows shows more. {order}")


def draw_variant(report: VariantReport, console: Console) -> None:
    """Print everything about one variant."""
    allele = f"{report.contig}:{report.position:,} {_short(report.ref)}>{_short(report.alt)}"
    about = [report.build, allele, report.variant_type, *report.rs_ids]
    if report.consequences:
        first = report.consequences[0]
        about += [text for text in (first["gene_symbol"], *first["terms"][:1], first["aa_change"]) if text]
    title = f"[bold]{escape(report.variant_id)}[/]"
    console.print(Panel(escape("  ·  ".join(about)), title=title, title_align="left", expand=False))
    console.print(_frequencies(report))
    console.print(_novelty(report))
    console.print(_consequences(report))
    console.print(_sites(report))


def _frequencies(report: VariantReport) -> Table | str:
    if report.frequencies is None:
        return "Frequencies: not computed; run allofus frequencies\n"
    numbers = ("AC", "AN", "AF", "carriers", "homozygotes", "hemizygotes", "faf95")
    most = max((of["af"] or 0 for of in report.frequencies.values()), default=0)
    table = grid(
        "Frequencies (bar: share of the highest)",
        *("", "AC", "AN", "AF", " ", *numbers[3:]),
        numbers=numbers,
    )
    for name, of in report.frequencies.items():
        counts = [_number(of[field]) for field in ("sc", "n_hom", "n_hemi")]
        called = of["an"] > 0
        table.add_row(
            _GROUP_NAMES.get(name, name),
            *(_number(of["ac"]) if called else "", _number(of["an"]), _frequency(of["an"], of["af"])),
            bar(of["af"] / most, _BAR_WIDTH) if called and most else "",
            *(counts if called else [""] * len(counts)),
            f"{of['faf95']:.3g}" if called else "",
        )
    return table


def _novelty(report: VariantReport) -> Table | str:
    """The status, and what each catalogue of the set says."""
    named = f"against catalogue set {report.catalogue_set}"
    if report.novelty is None:
        return (
            f"[bold]Novelty {escape(named)}[/]: not computed for this variant; allofus flag-novelty does it\n"
        )
    novelty = report.novelty
    reason = f" ({novelty['reason']})" if novelty["reason"] else ""
    table = grid(f"Novelty {named}: {novelty['status']}{reason}", "catalogue", "version", "says")
    ids = {item["catalogue"]: item["known_id"] for item in novelty["reports"]}
    mentioned = {*ids, *novelty["site_known_to"], *novelty["compared_with"]}
    for name in sorted({*report.versions, *mentioned}):
        if name in ids:
            says = f"has the allele{', as ' + ids[name] if ids[name] else ''}"
        elif name in novelty["site_known_to"]:
            says = "has another allele at the position"
        elif name in novelty["compared_with"]:
            says = "covers the position, has neither"
        else:
            says = "does not cover the position, or cannot tell the allele"
        table.add_row(escape(name), escape(report.versions.get(name, "")), escape(says))
    return table


def _consequences(report: VariantReport) -> Table | str:
    if not report.consequences:
        named = escape(report.annotator)
        return f"[bold]Consequences by {named}[/]: not computed for this variant; allofus annotate does it\n"
    table = grid(
        f"Consequences by {report.annotator} ({report.consequences[0]['annotation_version']})",
        *("gene", "transcript", "biotype", "consequence", "impact", "amino acids", "DNA"),
    )
    for row in report.consequences[:_MOST_TRANSCRIPTS]:
        said = ", ".join(row["terms"]) or f"not annotated: {row['not_annotated']}"
        texts = [row["gene_symbol"], row["transcript_id"], row["biotype"], said, row["impact"]]
        texts += [row["aa_change"], row["dna_change"]]
        style = "bold" if row["is_most_severe"] else ""
        table.add_row(*(escape(text or "") for text in texts), style=style)
    more = len(report.consequences) - _MOST_TRANSCRIPTS
    if more > 0:
        table.caption = f"{more} more transcripts; --json gives all"
    return table


def _sites(report: VariantReport) -> Table:
    table = grid("Sites by callset", "callset", "date", "filters", "QUAL", "ID", "as written", "flags of qc")
    for site in report.sites:
        retired = f" (retired by {site['retired_by']})" if site["retired_by"] else ""
        filters = "not applied" if site["filters"] is None else ", ".join(site["filters"]) or "passed"
        alleles = f"{_short(site['input_ref'])} {_short(site['input_alts'])}"
        reasons = site["qc_reasons"]
        table.add_row(
            escape(site["callset_id"] + retired),
            str(site["callset_date"]),
            escape(filters),
            "" if site["qual"] is None else f"{site['qual']:g}",
            escape(site["input_id"] or ""),
            escape(f"{site['input_position']:,} {alleles}"),
            "not assessed" if reasons is None else escape(", ".join(reasons)) or "none",
        )
    return table


def _number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def _frequency(an: int | None, af: float | None) -> str:
    """An allele frequency; nobody called is not a frequency of 0."""
    if an is None:
        return ""
    return "not called" if af is None else f"{af:.3g}"


def _short(allele: str) -> str:
    """An allele that fits on a line."""
    if len(allele) <= _LONG_ALLELE:
        return allele
    return f"{allele[:_LONG_ALLELE]}… ({len(allele)} characters)"
