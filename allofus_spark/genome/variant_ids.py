"""Variant ids: one short text for each normalised allele, the same for one allele and for Arrow columns."""

from __future__ import annotations

import hashlib
import re

# Alleles longer than this (characters) are replaced by length and digest.
MAX_ALLELE_LENGTH = 100
# Hexadecimal digits of the SHA-256 that are kept: 64 bits.
DIGEST_LENGTH = 16
# Contigs can hold separators (HLA-A*01:01), alleles too (<INS:ME:ALU>, G[HLA-A:7[), positions and REF not: a
# digest, with its colon, stands between dashes only. The last place that fits counts, before any bracket.
_CONTIG, _POSITION, _ALT = r"([^\s\[\]<>]+)", "([0-9]{1,10})", r"(\S+)"
_FORMS = tuple(
    re.compile(sign.join((_CONTIG, _POSITION, ref, _ALT)))
    for sign, ref in (("-", f"([A-Za-z]+|[0-9]+:[0-9a-f]{{{DIGEST_LENGTH}}})"), (":", "([A-Za-z]+)"))
)


def variant_id(contig: str, position: int, ref: str, alt: str) -> str:
    """Variant id of a normalised allele: contig-position-ref-alt, contig without `chr` and M written MT.

    An allele of over 100 characters is replaced by its length, a colon and the first 16 hexadecimal digits
    of its SHA-256, so that ids stay short and different alleles keep different ids.

    Parameters
    ----------
    contig
        Canonical contig.
    position
        1-based position.

    See Also
    --------
    allofus_spark.genome.columns.variant_ids : the same for Arrow columns.

    Examples
    --------
    >>> variant_id("chrM", 73, "A", "G")
    'MT-73-A-G'
    """
    short = contig.removeprefix("chr")
    return f"{'MT' if short == 'M' else short}-{position}-{allele_in_id(ref)}-{allele_in_id(alt)}"


def allele_in_id(allele: str) -> str:
    """The allele as it stands in a variant id."""
    if len(allele) <= MAX_ALLELE_LENGTH:
        return allele
    return f"{len(allele)}:{hashlib.sha256(allele.encode()).hexdigest()[:DIGEST_LENGTH]}"


def parse_variant_id(text: str) -> tuple[str, int, str, str] | None:
    """(contig, position, ref, alt) as written in a variant id, or with colons in place of its dashes.

    Undoes `variant_id`, but for what that shortens: the contig is as spelled, and an allele of over 100
    characters is its length and digest. None: the text is no variant id.

    Examples
    --------
    >>> parse_variant_id("HLA-A*01:01:01:01-5-A-<DEL>")
    ('HLA-A*01:01:01:01', 5, 'A', '<DEL>')
    >>> parse_variant_id("22:19963748:G:A")
    ('22', 19963748, 'G', 'A')
    """
    for form in _FORMS:
        if parts := form.fullmatch(text):
            contig, position, ref, alt = parts.groups()
            return contig, int(position), ref, alt
    return None
