"""Tables of known associations, and of whether a scan sees them again."""

from collections.abc import Mapping

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import BOOLEAN, DOUBLE, INT, LONG, STRING, mapping
from allofus_spark.tables.variant_tables import ALLELE_COLUMNS

ALL_CATEGORIES = "all"
REF, ALT = "ref", "alt"

# Why a line of a map is not kept, in the order in which it is held against them.
REFUSED = {
    "no_id": "no association id",
    "repeated_id": "the id of an association of a line before",
    "no_phenotype": "no phenotype",
    "no_ancestry": "no ancestry",
    "bad_variant_key": "the variant is not contig:position:ref:alt of different alleles of A, C, G and T",
    "unknown_contig": "the variant is on a contig that the build does not have, or past its end",
    "bad_direction": "risk_allele_dir is neither ref nor alt",
    "bad_odds_ratio": "the odds ratio or a bound of it is no number over 0",
    "protective": "the odds ratio of the risk allele is under 1",
}

TESTED = "tested"
NOT_IN_CALLSET = "not_in_callset"
PHENOTYPE_NOT_SCANNED = "phenotype_not_scanned"
NOT_BINARY = "not_binary"
TOO_FEW_CASES = "too_few_cases"
VARIANT_NOT_SCANNED = "variant_not_scanned"
NOT_TESTED = "not_tested"
AMBIGUOUS_STRAND = "ambiguous_strand"
STATUSES = {
    TESTED: "judged",
    NOT_IN_CALLSET: "no callset has the allele",
    PHENOTYPE_NOT_SCANNED: "the scan does not have the phenotype in the ancestry, or could not fit it",
    NOT_BINARY: "the phenotype of the scan is a quantity: it has no odds ratio",
    TOO_FEW_CASES: "fewer cases than replication.min_cases",
    VARIANT_NOT_SCANNED: "the scan left the variant out: not of its regions, lists or callsets",
    NOT_TESTED: "the scan has no p for the variant; see not_tested_because",
    AMBIGUOUS_STRAND: "an A/T or C/G SNP that is there with ref and alt swapped, too near a frequency of one "
    "half to tell whether the key or the strand is turned",
}
AS_WRITTEN, SWAPPED, OTHER_STRAND = "as_written", "swapped", "other_strand"
MATCHES = {
    AS_WRITTEN: "the alleles of the key",
    SWAPPED: "ref and alt of the key the other way round, and the risk allele with them",
    OTHER_STRAND: "an A/T or C/G SNP of the other strand, told by its frequency",
}
MAP_FREQUENCY, COHORT_FREQUENCY = "map", "cohort"
SAME, ANY = "same", "any"

_MAP_COLUMNS = (
    Column("map_name", STRING, "Map of known associations, such as pgrm"),
    Column("map_version", STRING, "Version of the map"),
)
_ASSOCIATION = Column("association_id", STRING, "Id of the association in its map")
_PHENOTYPE = Column("phenotype_id", STRING, "Phenotype, such as phecode 250.2; text as the map writes it")
_CATEGORY = Column("category", STRING, "Chapter that the map puts the phenotype in; null: none", True)
_KNOWN_ODDS_RATIO = (
    Column("odds_ratio", DOUBLE, "Known odds ratio of one copy of the risk allele, 1 or more"),
    Column("lower95", DOUBLE, "Lower bound of its 95 % interval, as published"),
    Column("upper95", DOUBLE, "Upper bound"),
)


def _one_of(meanings: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {text}" for name, text in meanings.items())


KNOWN_ASSOCIATIONS = Table(
    name="known_associations",
    zone=Zone.REGISTERED,
    grain="one association of a variant with a phenotype in an ancestry that a map of such reports",
    key=("map_name", "map_version", "association_id"),
    columns=(
        *_MAP_COLUMNS,
        _ASSOCIATION,
        *ALLELE_COLUMNS,
        Column("rsid", STRING, "rs number as the map has it; null: none", True),
        _PHENOTYPE,
        Column("description", STRING, "Name of the phenotype; null: none", True),
        _CATEGORY,
        Column("ancestry", STRING, "Ancestry in which it was found, in lower case; all: several"),
        Column("risk_allele", STRING, "Risk allele as the map writes it: of either strand; null: none", True),
        Column("risk_allele_dir", STRING, f"Which allele of the key raises the risk: {REF} or {ALT}"),
        *_KNOWN_ODDS_RATIO,
        Column("neg_log10_p", DOUBLE, "−log10 of its p; null: not given", True),
        Column("study_accession", STRING, "Study in the GWAS Catalog, such as GCST005047; null: none", True),
        Column("pubmed_id", STRING, "Article that reports it; null: none", True),
        Column(
            "alt_frequencies",
            mapping(STRING, DOUBLE),
            "Frequency of alt by ancestry in lower case, as the map's file of frequencies has it",
        ),
    ),
    partition_by=("map_name", "map_version"),
    checks={
        "direction": "risk_allele_dir IN ('ref', 'alt')",
        "raises_the_risk": "odds_ratio >= 1",
        "position_positive": "position >= 1",
        "ref_is_not_alt": "ref <> alt",
    },
)

REJECTED_KNOWN_ASSOCIATIONS = Table(
    name="rejected_known_associations",
    zone=Zone.REGISTERED,
    grain="one refused line of a map",
    key=("map_name", "map_version", "line"),
    columns=(
        *_MAP_COLUMNS,
        Column("line", INT, "Line of the file, from 1"),
        Column("reason", STRING, _one_of(REFUSED)),
        Column("association_id", STRING, "Id as written; null: no such cell", True),
        Column("variant", STRING, "Variant as written; null: no such cell", True),
        Column("text", STRING, "The line's cells, joined by tabs"),
    ),
    partition_by=("map_name", "map_version"),
)

REPLICATIONS = Table(
    name="replications",
    zone=Zone.REGISTERED,
    grain="one known association of a map in one ancestry of a scan; internal: not disclosure-controlled",
    key=("scan", "map_name", "map_version", "association_id", "ancestry"),
    columns=(
        Column("scan", STRING, "Scan that was looked into"),
        *_MAP_COLUMNS,
        _ASSOCIATION,
        Column("ancestry", STRING, "Ancestry group of the scan, or all: everybody pooled"),
        Column("known_ancestry", STRING, "Ancestry in which it was found"),
        _PHENOTYPE,
        _CATEGORY,
        *ALLELE_COLUMNS,
        Column("status", STRING, _one_of(STATUSES)),
        Column(
            "not_tested_because",
            STRING,
            "Status in associations where this one is not_tested; else null",
            True,
        ),
        Column("matched", STRING, f"{_one_of(MATCHES)}; null: not in the callsets, or ambiguous", True),
        Column("n_cases", INT, "Cases analysed; null: phenotype not scanned", True),
        Column("n_controls", INT, "Controls analysed; null: phenotype not scanned", True),
        Column("known_odds_ratio", DOUBLE, "Of one copy of the risk allele, as the map has it"),
        Column("known_lower95", DOUBLE, "Lower bound of its 95 % interval, as published"),
        Column("known_upper95", DOUBLE, "Upper bound"),
        Column("risk_allele_frequency", DOUBLE, "That power is computed with; null: not tested", True),
        Column(
            "frequency_of",
            STRING,
            f"{MAP_FREQUENCY}: the map's, of the ancestry; {COHORT_FREQUENCY}: af of the people analysed, as "
            "the map has none; null: not tested",
            True,
        ),
        Column("odds_ratio", DOUBLE, "Of one copy of the risk allele, here; null: not tested", True),
        Column("lower95", DOUBLE, "Lower bound of its 95 % interval: beta ± 1.96 se; null likewise", True),
        Column("upper95", DOUBLE, "Upper bound; null likewise", True),
        Column("neg_log10_p", DOUBLE, "−log10 of the two-sided p; null likewise", True),
        Column(
            "interval",
            STRING,
            "Where this 95 % interval lies to the known one: overlaps, below or above; null likewise",
            True,
        ),
        Column("power", DOUBLE, "Chance to see known_lower95 at a p of 0.05; null likewise", True),
        Column("is_powered", BOOLEAN, "power is replication.min_power or more; null likewise", True),
        Column(
            "is_replicated",
            BOOLEAN,
            "p under replication.max_p, and odds_ratio over 1; null likewise",
            True,
        ),
    ),
    partition_by=("scan", "map_name", "map_version"),
    checks={"tested_is_judged": "(status = 'tested') = (is_replicated IS NOT NULL AND power IS NOT NULL)"},
)

REPLICATION_SUMMARY = Table(
    name="replication_summary",
    zone=Zone.REGISTERED,
    grain="known associations of a map in one ancestry of a scan, by where they were found and category; "
    "internal: not disclosure-controlled",
    key=("scan", "map_name", "map_version", "ancestry", "known_in", "category"),
    columns=(
        Column("scan", STRING, "Scan that was looked into"),
        *_MAP_COLUMNS,
        Column("ancestry", STRING, "Ancestry group of the scan, or all: everybody pooled"),
        Column("known_in", STRING, f"{SAME}: those found in this ancestry; {ANY}: all of the map"),
        Column("category", STRING, f"Category of the phenotype; none: without one; or {ALL_CATEGORIES}"),
        Column("known", LONG, "Known associations"),
        Column("tested", LONG, "Of known, tested"),
        Column("powered", LONG, "Of tested, with power of replication.min_power or more"),
        Column("replicated", LONG, "Of tested, seen again"),
        Column("powered_replicated", LONG, "Of powered, seen again"),
        Column("expected", DOUBLE, "Sum of the powers of those tested"),
        Column("rr_all", DOUBLE, "replicated / tested; null: none tested", True),
        Column("rr_power", DOUBLE, "powered_replicated / powered; null: none powered", True),
        Column("aer", DOUBLE, "Actual to expected: replicated / expected; null: none tested", True),
        Column("variants_tested", LONG, "Distinct variants among those tested"),
        Column("variants_replicated", LONG, "Distinct variants with an association that is seen again"),
        Column("phenotypes_tested", LONG, "Distinct phenotypes among those tested"),
        Column("phenotypes_replicated", LONG, "Distinct phenotypes with an association that is seen again"),
    ),
    partition_by=("scan", "map_name", "map_version"),
)
