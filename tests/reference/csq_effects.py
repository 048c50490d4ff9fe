"""What csq's text and our rows say, in one form: effect by transcript, as sets that can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Effect = tuple[frozenset[str], str | None, str | None]

SILENT = {"intergenic_variant", "coding_transcript_variant", "non_coding_transcript_variant"}
_NAMES = {
    "5_prime_utr": "5_prime_UTR_variant",
    "3_prime_utr": "3_prime_UTR_variant",
    "non_coding": "non_coding_transcript_variant",
    "inframe_altering": "protein_altering_variant",
    "stop_lost": "stop_lost",
    "stop_gained": "stop_gained",
    "start_lost": "start_lost",
    "inframe_deletion": "inframe_deletion",
    "inframe_insertion": "inframe_insertion",
    "feature_elongation": "feature_elongation",
    "feature_truncation": "feature_truncation",
}
# csq gives introns and transcripts without a protein by biotype, under names of its own.
_BIOTYPES = {"NMD": "nonsense_mediated_decay", "3_prime_overlapping_ncRNA": "3prime_overlapping_ncRNA"}
_BY_BIOTYPE = {frozenset({"intron_variant"}), frozenset({"non_coding_transcript_variant"})}


def of_text(text: str) -> dict[str, Effect]:
    """Effects of a text of BCSQ, by transcript, or by biotype where csq names no transcript."""
    effects: dict[str, Effect] = {}
    for entry in text.split(",") if text else []:
        names, _, transcript, biotype, *rest = entry.split("|")
        place = transcript or _BIOTYPES.get(biotype, biotype)
        place = re.sub(r"(IG|TR)_([A-Z]+)$", r"\1_\2_gene", place)
        terms, aa, dna = effects.get(place, (frozenset(), None, None))
        more = {_NAMES.get(name, f"{name}_variant") for name in names.split("&")}
        effects[place] = (terms | more, *(rest[1:] if len(rest) > 1 else (aa, dna)))
    return effects


def of_rows(rows: Iterable[Mapping[str, Any]]) -> dict[str, Effect]:
    """Effects of the rows of one allele in the same form; none where csq would be silent."""
    rows = list(rows)
    assert sum(row["is_most_severe"] for row in rows) == 1
    effects = {}
    for row in rows:
        terms = frozenset(row["terms"])
        place = row["biotype"] if terms in _BY_BIOTYPE else row["transcript_id"]
        effects[place] = (terms, row["aa_change"], row["dna_change"])
    said = {term for terms, _, _ in effects.values() for term in terms}
    return {} if said <= {"intergenic_variant", "coding_transcript_variant"} else effects


def same(text: str, rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether rows say what csq says."""
    rows, expected = list(rows), of_text(text)
    if not expected:
        return {term for row in rows for term in row["terms"]} <= SILENT
    return of_rows(rows) == expected
