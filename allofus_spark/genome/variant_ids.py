"""Variant ids: one short text for each normalised allele, the same for one allele and for Arrow columns."""

from __future__ import annotations

import hashlib

# Alleles longer than this (characters) are replaced by length and digest.
MAX_ALLELE_LENGTH = 100
# Hexadecimal digits of the SHA-256 that are kept: 64 bits.
DIGEST_LENGTH = 16


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
