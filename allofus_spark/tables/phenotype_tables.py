"""Tables of phenotypes: what each is, who was looked at, and who is a case or was measured.

A phenotype set is what one map or file gives, and is replaced whole. Thousands of phenotypes of a million
people would be billions of controls: where ``others`` of the definition is ``control``, whoever of
``phenotype_people`` has no row in ``phenotypes`` is one.
"""

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import DATE, DOUBLE, INT, LONG, STRING

BINARY_KIND, QUANTITATIVE_KIND = "binary", "quantitative"
CASE, CONTROL, EXCLUDED, MEASURED = "case", "control", "excluded", "measured"
STATUSES = (CASE, CONTROL, EXCLUDED, MEASURED)
NOT_ASSESSED = "not_assessed"
BOTH_SEXES, FEMALE, MALE = "both", "female", "male"
# Why somebody is neither case nor control.
TOO_FEW_DATES, EXCLUSION_RANGE = "too_few_dates", "exclusion_range"
OTHER_SEX, SEX_NOT_KNOWN = "other_sex", "sex_not_known"
REASONS = {
    TOO_FEW_DATES: "a code on fewer dates than phenotypes.min_dates",
    EXCLUSION_RANGE: "a code of a phecode in the phenotype's exclusion range, but no case",
    OTHER_SEX: "the phenotype is of the other sex",
    SEX_NOT_KNOWN: "the phenotype is of one sex, and the person's is not known",
}
ALL_ANCESTRIES = "all"

_SET = Column("phenotype_set", STRING, "Set that the phenotype belongs to, such as phecode12; replaced whole")
_PHENOTYPE = Column(
    "phenotype_id", STRING, "Id of the phenotype, such as phecode 250.2; text, never a number"
)

PHENOTYPE_DEFINITIONS = Table(
    name="phenotype_definitions",
    zone=Zone.REGISTERED,
    grain="one phenotype",
    key=("phenotype_id",),
    columns=(
        _SET,
        _PHENOTYPE,
        Column("kind", STRING, f"{BINARY_KIND} or {QUANTITATIVE_KIND}"),
        Column("description", STRING, "What it is called"),
        Column("category", STRING, "Chapter of the map; null: none", True),
        Column("unit", STRING, "Unit of values as UCUM writes it; null: none, or binary", True),
        Column("sex", STRING, f"Who can have it: {BOTH_SEXES}, {FEMALE} or {MALE}"),
        Column(
            "others",
            STRING,
            f"What people of the set without a row in phenotypes are: {CONTROL} or {NOT_ASSESSED}",
        ),
        Column("definition", STRING, "How it was told from the source, in words"),
        Column("source_sha256", STRING, "SHA-256 of the map or file that defines it"),
    ),
    partition_by=("phenotype_set",),
)

PHENOTYPE_PEOPLE = Table(
    name="phenotype_people",
    zone=Zone.CONTROLLED,
    grain="one person that a set of phenotypes was told of",
    key=("phenotype_set", "person_id"),
    columns=(
        _SET,
        Column("person_id", STRING, "Person, as in persons and person_samples"),
        Column("sex", STRING, f"{FEMALE} or {MALE} by the records; null: not known or another", True),
    ),
    partition_by=("phenotype_set",),
)

PHENOTYPES = Table(
    name="phenotypes",
    zone=Zone.CONTROLLED,
    grain="one person in one phenotype, unless a control where the definition's others is control",
    key=("phenotype_set", "phenotype_id", "person_id"),
    columns=(
        _SET,
        _PHENOTYPE,
        Column("person_id", STRING, "Person, as in persons and person_samples"),
        Column("status", STRING, f"{', '.join(STATUSES)}: measured is quantitative, the others binary"),
        Column("reason", STRING, f"Why excluded: {', '.join(REASONS)}; null: not excluded", True),
        Column("n_dates", INT, "Distinct dates with a code, or a value; null: none known", True),
        Column("first_date", DATE, "The first of them; null likewise", True),
        Column("value", DOUBLE, "Median of the person's values, in the unit of the definition", True),
    ),
    partition_by=("phenotype_set",),
    checks={
        "excluded_has_reason": "(status = 'excluded') = (reason IS NOT NULL)",
        "measured_has_value": "(status = 'measured') = (value IS NOT NULL)",
    },
)

PHENOTYPE_CATALOGUE = Table(
    name="phenotype_catalogue",
    zone=Zone.REGISTERED,
    grain="one phenotype in one ancestry, or all; internal: counts are not disclosure-controlled",
    key=("phenotype_id", "ancestry"),
    columns=(
        _SET,
        _PHENOTYPE,
        Column(
            "ancestry",
            STRING,
            f"Ancestry group of people with genomes; unlabelled; no_genome; or {ALL_ANCESTRIES}, everybody",
        ),
        Column("n_cases", LONG, "Cases; null: quantitative", True),
        Column("n_controls", LONG, "Controls; null: quantitative", True),
        Column("n_excluded", LONG, "Neither; null: quantitative", True),
        Column("n_measured", LONG, "People with a value; null: binary", True),
        Column("mean", DOUBLE, "Of values, in the unit of the definition; null: binary, or nobody", True),
        Column("sd", DOUBLE, "Standard deviation of values, over n − 1; null likewise, or one person", True),
    ),
    partition_by=("phenotype_set",),
)

UNMAPPED_CODES = Table(
    name="unmapped_codes",
    zone=Zone.CONTROLLED,
    grain="one code of the records that the map of a set of phenotypes does not have",
    key=("phenotype_set", "vocabulary_id", "code"),
    columns=(
        _SET,
        Column("vocabulary_id", STRING, "Vocabulary of the code; empty: not known"),
        Column("code", STRING, "Code without dots and blanks, in upper case; empty: none"),
        Column("written", STRING, "The code as a record writes it"),
        Column("n_rows", LONG, "Records with the code"),
    ),
    partition_by=("phenotype_set",),
)
