"""Delimited files of sites: which of their columns say what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allofus_spark.errors import BadSource, shown

# Names of a column, compared without case and without a # in front; the first of them that is there is used.
# `start` is no position: in BED it is 0-based.
_NAMES = {
    "contig": ("chrom", "chr", "contig", "chromosome"),
    "position": ("pos", "position"),
    "id": ("id", "rsid", "rs_id", "known_id", "rs", "snp_id"),
    "ref": ("ref", "ref_allele", "reference", "reference_allele"),
    "alt": ("alt", "alt_allele", "alternate", "alternate_allele"),
}
_VARIANT_NAMES = ("vid", "variant_id", "variant")
_TAB, _COMMA = 9, 44


@dataclass(frozen=True)
class SiteColumns:
    """Where a file has what of a site.

    ``places`` are the columns of contig, position, id, ref and alt, 0-based, -1 where there is none;
    ``variant`` that of ids such as ``22-19963748-G-A``, -1 where the places say it all. ``n_head_lines``
    lines go before the first row, the last of which, ``header``, names the columns.
    """

    delimiter: int
    n_columns: int
    places: tuple[int, int, int, int, int]
    variant: int
    n_head_lines: int
    header: bytes


def find_columns(head: Sequence[bytes], path: str) -> SiteColumns:
    """The columns that the first line without ``##`` names.

    Raises BadSource naming the columns that are missing and those that are there.
    """
    named = (number for number, line in enumerate(head) if line and not line.startswith(b"##"))
    before = next(named, None)
    if before is None:
        raise BadSource(f"{path}: no line that names columns; give a VCF, or a TSV or CSV with a header")
    header = head[before]
    delimiter = _TAB if b"\t" in header or b"," not in header else _COMMA
    names = [_plain_name(text) for text in header.split(bytes([delimiter]))]
    found = {what: _first_of(names, choices) for what, choices in _NAMES.items()}
    variant = _first_of(names, _VARIANT_NAMES)
    used = {names[at] for at in (*found.values(), variant) if at >= 0}
    if twice := sorted(name for name in used if names.count(name) > 1):
        raise BadSource(f"{path}: the header names {shown(twice)} more than once; rename one of the columns")
    missing = [what for what in ("contig", "position", "ref", "alt") if found[what] < 0]
    if missing and variant < 0:
        wanted = "; ".join(f"{what} ({', '.join(_NAMES[what])})" for what in missing)
        raise BadSource(
            f"{path}: neither a VCF (##fileformat=VCFv4.x) nor a table of sites: it has no column for "
            f"{wanted}, nor one of whole variants ({', '.join(_VARIANT_NAMES)}); its first line names: "
            f"{shown([name[:40] for name in names])}. Rename the columns in the file's header."
        )
    contig, position, ref, alt = (found[what] for what in ("contig", "position", "ref", "alt"))
    return SiteColumns(
        delimiter,
        len(names),
        (contig, position, found["id"], ref, alt) if not missing else (-1, -1, found["id"], -1, -1),
        variant if missing else -1,
        before + 1,
        header,
    )


def _plain_name(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace").strip(' "\r').lstrip("#").lower()


def _first_of(names: Sequence[str], choices: Sequence[str]) -> int:
    return next((names.index(choice) for choice in choices if choice in names), -1)
