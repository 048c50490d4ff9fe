"""Products of scans: associations of alleles with phenotypes, and known ones that are seen again."""

from __future__ import annotations

from allofus_spark.published.products.shape import ALLELE, ALLELE_KEY, product
from allofus_spark.tables.contract import Column
from allofus_spark.tables.types import BOOLEAN, DOUBLE, LONG, LONGS, STRING, STRINGS

_SIZE_WITHHELD = (
    "null: withheld, as sizes of many scans held against each other would tell of the few relatives left out"
)
_SAMPLE_SIZES = (
    Column("n", LONG, f"People analysed; {_SIZE_WITHHELD}", True),
    Column("n_cases", LONG, "Of n, cases; null: quantitative, or withheld", True),
    Column("n_controls", LONG, "Of n, controls; null likewise", True),
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
ASSOCIATIONS = product(
    "associations",
    "one tested allele, phenotype and ancestry of a scan with copies of alt and of ref over the floor "
    "among all analysed, among cases and among controls, where variants shows the ancestry's allele count",
    ("scan", "phenotype_id", "ancestry", *ALLELE_KEY),
    (
        *_PHENOTYPE,
        Column("ancestry", STRING, "Ancestry group, or all: everybody pooled"),
        *ALLELE,
        *_EFFECT,
        Column("test", STRING, "linear, score, firth_approximate or firth_exact"),
        *_SAMPLE_SIZES,
    ),
    sort_by=("contig", "position", "ref", "alt", "scan", "phenotype_id", "ancestry"),
)
META_ASSOCIATIONS = product(
    "meta_associations",
    "one allele and phenotype of a scan over ancestries, each of which associations may show",
    ("scan", "phenotype_id", *ALLELE_KEY),
    (
        *_PHENOTYPE,
        *ALLELE,
        Column("ancestries", STRINGS, "Ancestries with a test, in alphabetical order"),
        *_EFFECT,
        Column("q", DOUBLE, "Cochran's Q; null: one ancestry", True),
        Column("q_neg_log10_p", DOUBLE, "−log10 p of Q; null likewise", True),
        Column("i2", DOUBLE, "I², 0 to 1; null likewise", True),
        *_SAMPLE_SIZES,
    ),
    sort_by=("contig", "position", "ref", "alt", "scan", "phenotype_id"),
)
ASSOCIATION_SUMMARIES = product(
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
REPLICATIONS = product(
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
        *ALLELE,
        Column("status", STRING, "tested, or why not; withheld: whether it was tested is"),
        Column("known_odds_ratio", DOUBLE, "Of one copy of the risk allele, as the map has it"),
        Column("odds_ratio", DOUBLE, "Here; null: not tested, or too few carriers to show", True),
        Column("lower95", DOUBLE, "Lower bound of its 95 % interval; null likewise", True),
        Column("upper95", DOUBLE, "Upper bound; null likewise", True),
        Column("neg_log10_p", DOUBLE, "−log10 of the two-sided p; null likewise", True),
        Column("is_powered", BOOLEAN, "Had the power to be seen; null: not tested", True),
        Column("is_replicated", BOOLEAN, "Seen again; null: not tested", True),
        Column("is_withheld", BOOLEAN, "In the callset and the scan, and its numbers are withheld"),
    ),
)
REPLICATION_SUMMARY = product(
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
