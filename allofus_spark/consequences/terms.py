"""Consequence terms of the Sequence Ontology: how severe each is, whether it is coding, and what it means.

Order and impact are Ensembl's, as its page "Calculated variant consequences" gives them; the table beside
this module names the release.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from allofus_spark.errors import AnnotationFailed

SOURCE = "https://www.ensembl.org/info/genome/variation/prediction/predicted_data.html"
INTERGENIC = "intergenic_variant"
PROTEIN_ALTERING, NMD = "protein_altering_variant", "NMD_transcript_variant"
# Terms that say where an allele lies and not what it does.
INTRON, NON_CODING, CODING = "intron_variant", "non_coding_transcript_variant", "coding_transcript_variant"


@dataclass(frozen=True)
class Term:
    """A consequence term; ``rank`` 0 is the most severe, ``csq_name`` what bcftools csq calls it."""

    name: str
    rank: int
    accession: str
    impact: str
    is_coding: bool
    csq_name: str | None
    meaning: str


@lru_cache(maxsize=1)
def all_terms() -> dict[str, Term]:
    """Every term by name, most severe first."""
    text = files(__package__).joinpath("data", "terms.tsv").read_text(encoding="utf-8")
    lines = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {
        name: Term(name, rank, accession, impact, coding == "yes", csq_name or None, meaning)
        for rank, (name, accession, impact, coding, csq_name, meaning) in enumerate(lines[1:])
    }


@lru_cache(maxsize=1)
def _of_csq() -> dict[str, str]:
    return {term.csq_name: term.name for term in all_terms().values() if term.csq_name is not None}


def terms_of_csq(names: str) -> list[str]:
    """Terms of a consequence as bcftools csq writes it; raises AnnotationFailed naming one that is not known.

    >>> terms_of_csq("splice_region&synonymous")
    ['splice_region_variant', 'synonymous_variant']
    """
    known = _of_csq()
    if unknown := [name for name in names.split("&") if name not in known]:
        raise AnnotationFailed(
            f"bcftools csq gave the consequence {', '.join(unknown)} (in {names}), which has no Sequence "
            "Ontology term here; use the release of pysam that this package asks for"
        )
    return [known[name] for name in names.split("&")]


def by_severity(names: Iterable[str]) -> tuple[str, ...]:
    """Known terms without repeats, most severe first."""
    terms = all_terms()
    return tuple(sorted(set(names), key=lambda name: terms[name].rank))


def rank_of(names: tuple[str, ...]) -> int:
    """How severe the first of these terms is; 0 is the most severe."""
    return all_terms()[names[0]].rank


def impact_of(names: tuple[str, ...]) -> str:
    """HIGH, MODERATE, LOW or MODIFIER, of the first term."""
    return all_terms()[names[0]].impact


def are_coding(names: Iterable[str]) -> bool:
    """Whether one of the terms is a coding consequence."""
    terms = all_terms()
    return any(terms[name].is_coding for name in names)


def severity_table() -> str:
    """The terms in plain language as a table in Markdown, most severe first, with their source."""
    head = "| term | impact | coding | meaning |\n|---|---|---|---|"
    rows = [
        f"| `{term.name}` | {term.impact} | {'yes' if term.is_coding else ''} | {term.meaning} |"
        for term in all_terms().values()
    ]
    return "\n".join(
        [head, *rows, "", f"Order and impact: [Ensembl, Calculated variant consequences]({SOURCE})."]
    )
