"""Names of classes as a reader says them."""

from __future__ import annotations

_WORDS = {
    "known_site_new_allele": "new allele at a known site",
    "not_assessable": "not assessable",
    "not_flagged": "not judged",
    "not_annotated": "not annotated",
    "none": "outside genes",
    "all": "everybody",
    "any": "any of them",
    "meta": "meta-analysis",
    "snv": "single-base",
    "mnv": "several bases",
    "race_ethnicity": "race and ethnicity",
    "no_genome": "without a genome",
    "registered_to_access": "registration to first access",
}

# Novelty in the order in which it is drawn, each with its class of colour.
TERM_CLASSES = {
    "reported": "n0",
    "known_site_new_allele": "n1",
    "unreported": "n2",
    "not_assessable": "n3",
    "not_flagged": "n4",
}


def words(name: str) -> str:
    """A class of a product in words.

    >>> words("3_prime_UTR_variant")
    '3 prime UTR variant'
    """
    return _WORDS.get(name, name.replace("_", " "))
