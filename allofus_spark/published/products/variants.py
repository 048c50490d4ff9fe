"""Products that tell of alleles: frequencies, consequences, where to look, and numbers of variants."""

from __future__ import annotations

from collections.abc import Sequence

from allofus_spark.published.products.shape import ALL, ALLELE, ALLELE_KEY, product
from allofus_spark.tables.contract import Column, Table
from allofus_spark.tables.types import BOOLEAN, DOUBLE, INT, LONG, STRING, STRINGS


def _frequency(group: str) -> tuple[Column, ...]:
    of = "everybody, unlabelled included" if group == ALL else f"ancestry group {group}"
    return (
        Column(f"{group}_ac", LONG, f"Allele count of {of}; null: in withheld", True),
        Column(f"{group}_an", LONG, f"Alleles called of {of}; null: the group is too small to show", True),
        Column(f"{group}_af", DOUBLE, f"{group}_ac / {group}_an; null: no call, or in withheld", True),
        Column(f"{group}_faf95", DOUBLE, f"Lower 95 % bound of {group}_af; null likewise", True),
        Column(
            f"{group}_n_hom",
            LONG,
            f"Homozygotes of {of}; 0 only where {group}_ac is 0; null: not over the floor, or it would tell "
            "of a count that is not",
            True,
        ),
    )


def variants(groups: Sequence[str]) -> Table:
    """Frequencies, novelty and most severe consequence; ``groups``: ancestry groups of the warehouse."""
    return product(
        "variants",
        "one normalised allele of the cohort",
        ALLELE_KEY,
        (
            *ALLELE,
            Column("rsids", STRINGS, "rs numbers by which catalogues have the allele"),
            Column("variant_type", STRING, "snv, mnv, insertion, deletion, complex, symbolic or breakend"),
            *(column for group in (ALL, *groups) for column in _frequency(group)),
            Column("withheld", STRINGS, "all, or groups, whose ac, af and faf95 are withheld"),
            Column("max_af", DOUBLE, "Highest af shown of a group; null: none is shown", True),
            Column("max_af_group", STRING, "Group of max_af, the first of equals", True),
            Column(
                "novelty",
                STRING,
                "reported, known_site_new_allele, unreported, not_assessable; null: never judged",
                True,
            ),
            Column("gene_symbol", STRING, "Gene of the most severe consequence; null: none", True),
            Column("gene_id", STRING, "Its id; null: none", True),
            Column("transcript_id", STRING, "Its transcript; null: none", True),
            Column("consequence", STRING, "Most severe Sequence Ontology term; null: none", True),
            Column("impact", STRING, "HIGH, MODERATE, LOW or MODIFIER; null: none", True),
            Column("aa_change", STRING, "Amino-acid change; null: none", True),
            Column("is_coding", BOOLEAN, "A term is a coding consequence; null: not annotated", True),
        ),
    )


CONSEQUENCES = product(
    "consequences",
    "one allele and one transcript that it falls into",
    (*ALLELE_KEY, "transcript_id"),
    (
        *ALLELE,
        Column("transcript_id", STRING, "Transcript"),
        Column("gene_id", STRING, "Gene; null: not known", True),
        Column("gene_symbol", STRING, "Name of the gene; null: not known", True),
        Column("biotype", STRING, "Biotype of the transcript", True),
        Column("terms", STRINGS, "Sequence Ontology terms, most severe first"),
        Column("impact", STRING, "HIGH, MODERATE, LOW or MODIFIER", True),
        Column("aa_change", STRING, "Amino-acid change; null: none", True),
        Column("dna_change", STRING, "Change of the transcript; null: none", True),
        Column("is_coding", BOOLEAN, "A term is a coding consequence"),
    ),
)
RSIDS = product(
    "rsids",
    "one rs number and allele: where to look in variants",
    ("rs_number", *ALLELE_KEY),
    (Column("rs_number", LONG, "rs number without rs"), *ALLELE),
)
GENES = product(
    "genes",
    "one gene with released variants: where to look in variants",
    ("gene_symbol", "contig"),
    (
        Column("gene_symbol", STRING, "Name of the gene, else its id"),
        Column("gene_id", STRING, "Id of the gene; null: not known", True),
        Column("contig", STRING, "Contig as the build spells it"),
        Column("first_position", INT, "Lowest position of a variant with a consequence in it"),
        Column("last_position", INT, "Highest"),
        Column("n_variants", LONG, "Variants with a consequence in it"),
        Column("n_coding", LONG, "Of them with a coding consequence"),
    ),
)
VARIANT_COUNTS = product(
    "variant_counts",
    "one class of variants, of those seen in one ancestry: numbers of variants, not of people",
    ("catalogue_set", "annotator", "ancestry", "dimension", "class"),
    (
        Column("catalogue_set", STRING, "Set of catalogues that novelty is judged by"),
        Column("annotator", STRING, "Annotator of the consequences"),
        Column("ancestry", STRING, "Ancestry group, or all"),
        Column("dimension", STRING, "all, type, consequence, frequency or filter"),
        Column("class", STRING, "Class of the dimension"),
        *(
            Column(
                name, LONG, f"Variants: {name.removeprefix('n_').replace('_', ' ')}; null: not assessed", True
            )
            for name in (
                "n_variants",
                "n_reported",
                "n_known_site_new_allele",
                "n_unreported",
                "n_not_assessable",
                "n_not_flagged",
                "n_coding",
                "n_new_coding",
            )
        ),
    ),
)
