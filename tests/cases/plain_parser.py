"""The rules for a VCF record, restated with regular expressions; two copies are meant everywhere."""

from __future__ import annotations

import re
from typing import NamedTuple

_CONTIG = r"[!-~]".replace("!-~", r"!#$%&*+\-./0-9:;=?@A-Z^_a-z|~")
CHROM = re.compile(f"(?!#)(<{_CONTIG}+>|{_CONTIG}+)")
POS = re.compile("[0-9]{1,10}")
REF = re.compile("[ACGTNRYSWKMBDHV]+", re.IGNORECASE)
ALT = re.compile(
    r"[ACGTN]+|\*|<[^ <>]+>|\.[ACGTN]+|[ACGTN]+\."
    r"|[^\[\] ]+([\[\]])[^\[\] ]*\1|([\[\]])[^\[\] ]*\2[^\[\] ]+",
    re.IGNORECASE,
)
QUAL = re.compile(
    r"\.|[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|infinity|nan)", re.IGNORECASE
)
GT = re.compile(r"[/|]?(\.|0|[1-9][0-9]*)([/|](\.|0|[1-9][0-9]*))*")
MAX_POSITION = 2**31 - 2


class PlainRow(NamedTuple):
    """One allele of a record that is understood. ``qual`` as text, so that NaN equals itself."""

    position: int
    ref: str
    alt: str
    filters: tuple[str, ...] | None
    qual: str
    id: str | None
    calls: tuple[int, ...]


def parse_line(line: str, n_samples: int, length: int | None) -> list[PlainRow] | None:
    """The alleles of a record; None where it must be refused."""
    fields = line.split("\t")
    if len(fields) != 9 + n_samples:
        return None
    chrom, pos, ident, ref, alt, qual, filters, _, format_ = fields[:9]
    alts = [] if alt == "." else alt.split(",")
    if not (CHROM.fullmatch(chrom) and POS.fullmatch(pos) and REF.fullmatch(ref) and QUAL.fullmatch(qual)):
        return None
    if not 1 <= int(pos) <= MAX_POSITION or (length is not None and int(pos) + len(ref) - 1 > length):
        return None
    spelled = [ref.upper(), *(item.upper() for item in alts)]
    if not all(map(ALT.fullmatch, alts)) or len(set(spelled)) < len(spelled):
        return None
    keys = format_.split(":")
    if keys.count("GT") > 1:
        return None
    calls = [_alleles_of(field, keys, len(alts)) for field in fields[9:]]
    if None in calls:
        return None
    rows = []
    for number, item in enumerate(alts, 1):
        if item in ("*", "<*>", "<NON_REF>"):
            continue
        stored = tuple(_stored(gt, number) for gt in calls if gt is not None)
        rows.append(
            PlainRow(
                *_trimmed(int(pos), ref.upper(), item),
                None if filters == "." else () if filters == "PASS" else tuple(filters.split(";")),
                "" if qual == "." else repr(float(qual)),
                None if ident == "." else ident,
                stored,
            )
        )
    return rows


def _alleles_of(field: str, keys: list[str], n_alts: int) -> list[str] | None:
    """The alleles of a sample's GT, none where it has no GT; None where it is not understood."""
    values = field.split(":")
    if len(values) > len(keys):
        return None
    if "GT" not in keys or keys.index("GT") >= len(values):
        return []
    text = values[keys.index("GT")]
    if not GT.fullmatch(text):
        return None
    alleles = re.split("[/|]", text.lstrip("/|"))
    return alleles if all(item == "." or int(item) <= n_alts for item in alleles) else None


def _stored(alleles: list[str], number: int) -> int:
    if len(alleles) != 2 or "." in alleles:
        return 3
    return alleles.count(str(number))


def _trimmed(pos: int, ref: str, alt: str) -> tuple[int, str, str]:
    if not re.fullmatch("[ACGTN]+", alt, re.IGNORECASE):
        return pos, ref, alt
    alt = alt.upper()
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return pos, ref, alt
