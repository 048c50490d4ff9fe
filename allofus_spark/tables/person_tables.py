"""Tables of the cohort's people: who they are, which samples are theirs, and how many are under-represented.

The questions and categories have their one home here.
"""

import re

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import DATE, DOUBLE, INT, LONG, STRING, STRINGS

# What people are asked, by the name of the column; each is a category of representation.
QUESTIONS = {
    "race_ethnicity": "Race and ethnicity",
    "sex_at_birth": "Sex assigned at birth",
    "gender_identity": "Gender identity",
    "sexual_orientation": "Sexual orientation",
    "income": "Annual household income",
    "education": "Highest education",
    "geography": "Kind of place of residence, such as rural",
    "disability": "Disability",
    "access_to_care": "Access to health care",
}
# What stands between several answers of a cell.
BETWEEN_ANSWERS = re.compile(r"[;|]")
AGE = "age"
# Nobody in records was born before, or is older.
FIRST_YEAR, MOST_YEARS = 1850, 130
ANY = "any"
# In the order in which they are shown; any: under-represented in at least one of the others.
CATEGORIES = ("race_ethnicity", AGE, *tuple(QUESTIONS)[1:])
EVERYBODY, WITH_GENOMES, WITHOUT_GENOMES = "all", "with_genomes", "without_genomes"
PEOPLE = (EVERYBODY, WITH_GENOMES, WITHOUT_GENOMES)
ALL_ANSWERS, UNRECOGNISED = "all", "unrecognised"
TOTAL, UNKNOWN_MONTH = "total", "unknown"

INTERNAL = "internal: counts are not disclosure-controlled"
_ANSWERS = "the answers as written, without repeats; null: no answer"

PERSONS = Table(
    name="persons",
    zone=Zone.CONTROLLED,
    grain="one person of the cohort, whether or not with a genome",
    key=("person_id",),
    columns=(
        Column("person_id", STRING, "Id of the person as in the source, without blanks around; always text"),
        Column(
            "enrolled_on",
            DATE,
            "Day of enrolment; of persons from the OMOP CDM the first day of records; null: not known",
            True,
        ),
        Column(
            "age_at_enrolment_years",
            INT,
            "Completed years at enrolment, given or from the birth date; from the year of birth alone the "
            "difference of years, which can be one too many; null: not known",
            True,
        ),
        Column("year_of_birth", INT, "Year of birth; null: not known", True),
        *(Column(name, STRINGS, f"{meaning}: {_ANSWERS}", True) for name, meaning in QUESTIONS.items()),
        Column(
            "not_asked",
            STRINGS,
            f"Categories that the source has no column for (of {', '.join(CATEGORIES)}): null there says "
            "nothing about the person",
        ),
        Column(
            "records_from",
            DATE,
            "First day of the person's health records (omop_observation_period, else the first dated record) "
            "when persons were ingested; null: no records",
            True,
        ),
        Column("records_to", DATE, "Last day of them; null likewise", True),
    ),
    checks={
        "age_possible": "age_at_enrolment_years IS NULL OR age_at_enrolment_years BETWEEN 0 AND "
        f"{MOST_YEARS}",
    },
)

PERSON_SAMPLES = Table(
    name="person_samples",
    zone=Zone.CONTROLLED,
    grain="one sample of a person; a person may have several, a sample has one person",
    key=("sample_id",),
    columns=(
        Column("person_id", STRING, "Person of persons whose sample it is"),
        Column("sample_id", STRING, "Sample id; it may be in no callset yet, or in a retired one"),
    ),
)

REPRESENTATION = Table(
    name="representation",
    zone=Zone.REGISTERED,
    grain=f"people enrolled in one month, or all, in one category of representation; {INTERNAL}",
    key=("definitions_version", "people", "enrolment_month", "category", "answer"),
    columns=(
        Column("definitions_version", STRING, "Setting representation.definitions_version"),
        Column(
            "definitions_sha256",
            STRING,
            "SHA-256 over the definitions and age limits: two versions with the same are the same",
        ),
        Column(
            "people",
            STRING,
            "all; with_genomes: linked to a sample of an active callset; without_genomes: the others",
        ),
        Column(
            "enrolment_month",
            STRING,
            "Month of enrolment as YYYY-MM; unknown; or total, the sum of both. Months in which nobody "
            "enrolled have no row",
        ),
        Column("category", STRING, f"{', '.join(CATEGORIES)}; or any: at least one of them"),
        Column(
            "answer",
            STRING,
            "all: everybody; else only people who gave this answer (in lower case), whoever gave several in "
            "each; unrecognised: an answer that the definitions do not know; of age a range of years",
        ),
        Column("n_people", LONG, "People"),
        Column("n_under_represented", LONG, "Of n_people, those under-represented in the category"),
        Column("n_not", LONG, "Of n_people, those known not to be under-represented in it"),
        Column(
            "n_unknown",
            LONG,
            "Of n_people, those of whom it is not known: not asked, no answer, or one that the definitions "
            "do not know or that says neither. In any: not under-represented in a category, unknown in one",
        ),
        Column(
            "n_not_asked",
            LONG,
            "Of n_unknown, those of whom it is not known only because their source lacks the question",
        ),
        Column("share_under_represented", DOUBLE, "n_under_represented / n_people; null over 0", True),
        Column("share_not", DOUBLE, "n_not / n_people; null over 0", True),
        Column("share_unknown", DOUBLE, "n_unknown / n_people; null over 0", True),
        Column(
            "n_people_to_date",
            LONG,
            "n_people of this month and all before; null where enrolment_month is total or unknown",
            True,
        ),
        Column("n_under_represented_to_date", LONG, "n_under_represented likewise", True),
        Column(
            "share_under_represented_to_date",
            DOUBLE,
            "n_under_represented_to_date / n_people_to_date; null where these are, and over 0",
            True,
        ),
    ),
    partition_by=("definitions_version",),
    checks={
        "people_add_up": "n_people = n_under_represented + n_not + n_unknown",
        "not_asked_are_unknown": "n_not_asked BETWEEN 0 AND n_unknown",
    },
)
