"""Products that count people: by ancestry, phenotype, category of representation, and as researchers."""

from __future__ import annotations

from allofus_spark.published.products.shape import ROUNDED, WITHHELD, product
from allofus_spark.tables.contract import Column
from allofus_spark.tables.types import BOOLEAN, DOUBLE, INT, LONG, STRING

GROUPS = product(
    "groups",
    "one ancestry group, unlabelled, or all",
    ("ancestry",),
    (
        Column("ancestry", STRING, "Ancestry group, unlabelled, or all"),
        Column("n_participants", LONG, f"Participants with genomes; {WITHHELD}", True),
    ),
)
PHENOTYPES = product(
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
        Column("n_cases", LONG, f"Cases, {ROUNDED}; null: quantitative, or withheld", True),
        Column("n_controls", LONG, f"Controls, {ROUNDED}; null likewise", True),
        Column("n_measured", LONG, f"People with a value, {ROUNDED}; null: binary, or withheld", True),
        Column("mean", DOUBLE, "Of values, to 3 digits; null: binary, nobody, or not over the floor", True),
        Column("sd", DOUBLE, "Standard deviation, to 3 digits; null likewise", True),
        Column("is_withheld", BOOLEAN, "Whether a number of the row is withheld"),
    ),
)
REPRESENTATION = product(
    "representation",
    "participants by a category of representation, and by answer",
    ("definitions_version", "people", "category", "answer"),
    (
        Column("definitions_version", STRING, "Version of the definitions"),
        Column("people", STRING, "all, or with_genomes"),
        Column("category", STRING, "Category of representation, or any: at least one of them"),
        Column("answer", STRING, "all: everybody; else the answer"),
        *(
            Column(name, LONG, f"{meaning}, {ROUNDED}; {WITHHELD}", True)
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
ANCESTRY_DENSITY = product(
    "ancestry_density",
    "one square of a plane of two principal components with more participants than the floor",
    ("pcs", "x_bin", "y_bin"),
    (
        Column("pcs", STRING, "Plane: PC1-PC2, PC3-PC4"),
        Column("x_bin", INT, "0-based square along the first component"),
        Column("y_bin", INT, "0-based square along the second"),
        Column("x", DOUBLE, "Middle of the square on the first component"),
        Column("y", DOUBLE, "Middle of the square on the second"),
        Column("n_participants", LONG, f"Participants in it, {ROUNDED}"),
        Column("ancestry", STRING, "Group of most of them; null: none, or up to twice the floor", True),
    ),
)
ACCESS_TIMES = product(
    "access_times",
    "hours of researchers from one step to another, of all or of those who registered in one month",
    ("step", "month"),
    (
        Column("step", STRING, "registered_to_access, or a step between, such as registered_to_agreement"),
        Column("month", STRING, "Month of registration as YYYY-MM, or all"),
        Column("n_researchers", LONG, f"Researchers, {ROUNDED}"),
        Column("median_hours", DOUBLE, "Median; null: n not over the floor", True),
        Column("lower_quartile_hours", DOUBLE, "First quartile; null likewise", True),
        Column("upper_quartile_hours", DOUBLE, "Third quartile; null likewise", True),
    ),
)
