"""The products of a release: what each is, row by row and column by column.

A count of people is shown exactly, rounded up to a multiple of the manifest's ``round_to``, or withheld:
null. Null without a mark of being withheld means that there is nothing to count.
"""

from __future__ import annotations

from collections.abc import Sequence

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import BOOLEAN, DOUBLE, INT, LONG, LONGS, STRING, STRINGS

ALL, UNLABELLED = "all", "unlabelled"
_ROUNDED = "rounded up to a multiple of the manifest's round_to; 0 is exact"
_WITHHELD = "null: withheld"

_ALLELE = (
    Column("contig", STRING, "Contig as the build spells it"),
    Column("position", INT, "1-based position of the first base of ref"),
    Column("ref", STRING, "Reference allele"),
    Column("alt", STRING, "Alternate allele"),
    Column("variant_id", STRING, "contig-position-ref-alt without chr, M written MT"),
)
_ALLELE_KEY = ("contig", "position", "ref", "alt")


def _product(
    name: str,
    grain: str,
    key: tuple[str, ...],
    columns: Sequence[Column],
    sort_by: tuple[str, ...] = (),
) -> Table:
    return Table(
        name=name, zone=Zone.PUBLIC, grain=grain, key=key, columns=tuple(columns), sort_by=sort_by or key
    )


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
    return _product(
        "variants",
        "one normalised allele of the cohort",
        _ALLELE_KEY,
        (
            *_ALLELE,
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


CONSEQUENCES = _product(
    "consequences",
    "one allele and one transcript that it falls into",
    (*_ALLELE_KEY, "transcript_id"),
    (
        *_ALLELE,
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
RSIDS = _product(
    "rsids",
    "one rs number and allele: where to look in variants",
    ("rs_number", *_ALLELE_KEY),
    (Column("rs_number", LONG, "rs number without rs"), *_ALLELE),
)
GENES = _product(
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
GROUPS = _product(
    "groups",
    "one ancestry group, unlabelled, or all",
    ("ancestry",),
    (
        Column("ancestry", STRING, "Ancestry group, unlabelled, or all"),
        Column("n_participants", LONG, f"Participants with genomes; {_WITHHELD}", True),
    ),
)
VARIANT_COUNTS = _product(
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
PHENOTYPES = _product(
    "phenotypes",
    "one phenotype in one ancestry, or all",
    ("phenotype_id", "ancestry"),
    (
        Column("phenotype_set", STRING, "Set that the phenotype belongs to"),
        Column("phenotype_id", STRING, "Id of the phenotype"),
        Column("description", STRING, "What it is called"),
        Column("category", STRING, "Chapter of the map; null: none", True),
        Column("kind", STRING, "binary or quantitative"),
        Column("unit", STRING, "Unit of values; null: none, or binary", True),
        Column("ancestry", STRING, "Ancestry group of people with genomes; unlabelled; no_genome; or all"),
        Column("n_cases", LONG, f"Cases, {_ROUNDED}; null: quantitative, or withheld", True),
        Column("n_controls", LONG, f"Controls, {_ROUNDED}; null likewise", True),
        Column("n_measured", LONG, f"People with a value, {_ROUNDED}; null: binary, or withheld", True),
        Column("mean", DOUBLE, "Of values, to 3 digits; null: binary, nobody, or not over the floor", True),
        Column("sd", DOUBLE, "Standard deviation, to 3 digits; null likewise", True),
        Column("is_withheld", BOOLEAN, "Whether a number of the row is withheld"),
    ),
)
_SAMPLE_SIZES = (
    Column("n", LONG, f"People analysed, {_ROUNDED}"),
    Column("n_cases", LONG, f"Of n, cases, {_ROUNDED}; null: quantitative", True),
    Column("n_controls", LONG, f"Of n, controls, {_ROUNDED}; null: quantitative", True),
)
_PHENOTYPE = (
    Column("scan", STRING, "Name of the scan"),
    Column("phenotype_id", STRING, "Phenotype of phenotypes"),
)
_EFFECT = (
    Column("beta", DOUBLE, "Effect of one copy of alt: in units of the phenotype, or log odds"),
    Column("se", DOUBLE, "Standard error of beta"),
    Column("neg_log10_p", DOUBLE, "−log10 of the two-sided p"),
)
ASSOCIATIONS = _product(
    "associations",
    "one tested allele, phenotype and ancestry of a scan with copies of alt and of ref over the floor "
    "among all analysed, among cases and among controls",
    ("scan", "phenotype_id", "ancestry", *_ALLELE_KEY),
    (
        *_PHENOTYPE,
        Column("ancestry", STRING, "Ancestry group, or all: everybody pooled"),
        *_ALLELE,
        *_EFFECT,
        Column("test", STRING, "linear, score, firth_approximate or firth_exact"),
        *_SAMPLE_SIZES,
    ),
    sort_by=("contig", "position", "ref", "alt", "scan", "phenotype_id", "ancestry"),
)
META_ASSOCIATIONS = _product(
    "meta_associations",
    "one allele and phenotype of a scan over ancestries, each of which associations may show",
    ("scan", "phenotype_id", *_ALLELE_KEY),
    (
        *_PHENOTYPE,
        *_ALLELE,
        Column("ancestries", STRINGS, "Ancestries with a test, in alphabetical order"),
        *_EFFECT,
        Column("q", DOUBLE, "Cochran's Q; null: one ancestry", True),
        Column("q_neg_log10_p", DOUBLE, "−log10 p of Q; null likewise", True),
        Column("i2", DOUBLE, "I², 0 to 1; null likewise", True),
        *_SAMPLE_SIZES,
    ),
    sort_by=("contig", "position", "ref", "alt", "scan", "phenotype_id"),
)
ASSOCIATION_SUMMARIES = _product(
    "association_summaries",
    "one phenotype and ancestry of a scan, from every test",
    ("scan", "phenotype_id", "ancestry"),
    (
        *_PHENOTYPE,
        Column("ancestry", STRING, "Ancestry group; all: everybody pooled; or meta"),
        Column("kind", STRING, "binary or quantitative"),
        Column("status", STRING, "scanned, or why not"),
        *_SAMPLE_SIZES,
        Column("n_tested", LONG, "Variants with a p"),
        Column("n_genome_wide", LONG, "Variants with p under association.genome_wide_p"),
        Column("lambda_gc", DOUBLE, "Genomic control λ; null: no test", True),
        Column("neg_log10_p_counts", LONGS, "Tests by neg_log10_p, in the bins of association_summaries"),
    ),
)
REPLICATIONS = _product(
    "replications",
    "one known association in one ancestry of a scan",
    ("scan", "map_name", "map_version", "association_id", "ancestry"),
    (
        *_PHENOTYPE,
        Column("map_name", STRING, "Map of known associations"),
        Column("map_version", STRING, "Version of the map"),
        Column("association_id", STRING, "Id of the association in its map"),
        Column("ancestry", STRING, "Ancestry group of the scan, or all"),
        Column("category", STRING, "Chapter of the phenotype; null: none", True),
        *_ALLELE,
        Column("status", STRING, "tested, or why not"),
        Column("known_odds_ratio", DOUBLE, "Of one copy of the risk allele, as the map has it"),
        Column("odds_ratio", DOUBLE, "Here; null: not tested, or too few carriers to show", True),
        Column("lower95", DOUBLE, "Lower bound of its 95 % interval; null likewise", True),
        Column("upper95", DOUBLE, "Upper bound; null likewise", True),
        Column("neg_log10_p", DOUBLE, "−log10 of the two-sided p; null likewise", True),
        Column("is_powered", BOOLEAN, "Had the power to be seen; null: not tested", True),
        Column("is_replicated", BOOLEAN, "Seen again; null: not tested", True),
        Column("is_withheld", BOOLEAN, "Tested, and its numbers are withheld"),
    ),
)
REPLICATION_SUMMARY = _product(
    "replication_summary",
    "known associations in one ancestry of a scan, by where they were found and category: not people",
    ("scan", "map_name", "map_version", "ancestry", "known_in", "category"),
    (
        Column("scan", STRING, "Name of the scan"),
        Column("map_name", STRING, "Map of known associations"),
        Column("map_version", STRING, "Version of the map"),
        Column("ancestry", STRING, "Ancestry group of the scan, or all"),
        Column("known_in", STRING, "same: those found in this ancestry; any: all of the map"),
        Column("category", STRING, "Category of the phenotype; none: without one; or all"),
        *(
            Column(name, LONG, f"Known associations: {name.replace('_', ' and ')}")
            for name in ("known", "tested", "powered", "replicated", "powered_replicated")
        ),
        Column("expected", DOUBLE, "Sum of the powers of those tested"),
        Column("rr_all", DOUBLE, "replicated / tested; null: none tested", True),
        Column("rr_power", DOUBLE, "powered_replicated / powered; null: none powered", True),
        Column("aer", DOUBLE, "replicated / expected; null: none tested", True),
    ),
)
REPRESENTATION = _product(
    "representation",
    "participants by a category of representation, and by answer",
    ("definitions_version", "people", "category", "answer"),
    (
        Column("definitions_version", STRING, "Version of the definitions"),
        Column("people", STRING, "all, or with_genomes"),
        Column("category", STRING, "Category of representation, or any: at least one of them"),
        Column("answer", STRING, "all: everybody; else the answer"),
        *(
            Column(name, LONG, f"{meaning}, {_ROUNDED}; {_WITHHELD}", True)
            for name, meaning in (
                ("n_people", "People"),
                ("n_under_represented", "Of them, under-represented"),
                ("n_not", "Of them, known not to be"),
                ("n_unknown", "Of them, not known"),
            )
        ),
        Column("share_under_represented", DOUBLE, "From the rounded counts; null: none, or withheld", True),
    ),
)
ANCESTRY_DENSITY = _product(
    "ancestry_density",
    "one square of a plane of two principal components with more participants than the floor",
    ("pcs", "x_bin", "y_bin"),
    (
        Column("pcs", STRING, "Plane: PC1-PC2, PC3-PC4"),
        Column("x_bin", INT, "0-based square along the first component"),
        Column("y_bin", INT, "0-based square along the second"),
        Column("x", DOUBLE, "Middle of the square on the first component"),
        Column("y", DOUBLE, "Middle of the square on the second"),
        Column("n_participants", LONG, f"Participants in it, {_ROUNDED}"),
        Column("ancestry", STRING, "Group that most of them are of, where over the floor; null: none", True),
    ),
)
ACCESS_TIMES = _product(
    "access_times",
    "hours of researchers from one step to another, of all or of those who registered in one month",
    ("step", "month"),
    (
        Column("step", STRING, "registered_to_access, or a step between, such as registered_to_agreement"),
        Column("month", STRING, "Month of registration as YYYY-MM, or all"),
        Column("n_researchers", LONG, f"Researchers, {_ROUNDED}"),
        Column("median_hours", DOUBLE, "Median; null: n not over the floor", True),
        Column("lower_quartile_hours", DOUBLE, "First quartile; null likewise", True),
        Column("upper_quartile_hours", DOUBLE, "Third quartile; null likewise", True),
    ),
)


def products(groups: Sequence[str]) -> tuple[Table, ...]:
    """Every product of a release, for a warehouse's ancestry groups."""
    return (
        variants(groups),
        CONSEQUENCES,
        RSIDS,
        GENES,
        GROUPS,
        VARIANT_COUNTS,
        PHENOTYPES,
        ASSOCIATIONS,
        META_ASSOCIATIONS,
        ASSOCIATION_SUMMARIES,
        REPLICATIONS,
        REPLICATION_SUMMARY,
        REPRESENTATION,
        ANCESTRY_DENSITY,
        ACCESS_TIMES,
    )
