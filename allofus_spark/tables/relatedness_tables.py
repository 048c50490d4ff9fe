"""Tables of relatedness: pairs of samples with their kinship, and a set without relatives.

The closed lists of degrees and of reasons have their one home here.
"""

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import BOOLEAN, DOUBLE, INT, STRING

# Least kinship of each degree, falling: 2^-1.5, 2^-2.5, ... (Manichaikul et al. 2010).
DEGREES = {"duplicate_or_twin": 0.3536, "first": 0.1768, "second": 0.0884, "third": 0.0442}
FURTHER = "further"
KING_ROBUST, PC_RELATE = "king_robust", "pc_relate"
DUPLICATE_DROPPED, RELATIVE_DROPPED = "duplicate_of_kept", "related_to_kept"
_NOT_COUNTED = f"null: {PC_RELATE}"

RELATED_PAIRS = Table(
    name="related_pairs",
    zone=Zone.CONTROLLED,
    grain="one pair of samples of the active callsets with kinship of relatedness.min_kinship or more",
    key=("sample_id_1", "sample_id_2"),
    columns=(
        Column("sample_id_1", STRING, "The lower of the two sample ids"),
        Column("sample_id_2", STRING, "The higher of the two sample ids"),
        Column("kinship", DOUBLE, "Kinship coefficient: 0.5 for duplicates, 0.25 for parent and child"),
        Column("degree", STRING, f"{', '.join(DEGREES)}; or {FURTHER}, under the least of these"),
        Column("n_sites", INT, f"Sites at which both have a call; {_NOT_COUNTED}", True),
        Column("n_het_1", INT, f"Of these, where sample 1 is heterozygous; {_NOT_COUNTED}", True),
        Column("n_het_2", INT, f"Of these, where sample 2 is heterozygous; {_NOT_COUNTED}", True),
        Column("n_het_both", INT, f"Of these, where both are heterozygous; {_NOT_COUNTED}", True),
        Column("n_ibs0", INT, f"Of these, where they share no allele; {_NOT_COUNTED}", True),
        Column("method", STRING, f"{KING_ROBUST} or {PC_RELATE}"),
    ),
    checks={"ordered": "sample_id_1 < sample_id_2"},
)

UNRELATED = Table(
    name="unrelated",
    zone=Zone.CONTROLLED,
    grain="one sample that kinship was computed of: whether it is in the set without relatives",
    key=("callset_id", "sample_id"),
    columns=(
        Column("callset_id", STRING, "Callset that the sample belongs to"),
        Column("sample_id", STRING, "Sample id as written in the source"),
        Column("sample_index", INT, "0-based place of the sample in the callset's genotypes"),
        Column("is_kept", BOOLEAN, "In the set: no two that are kept are related"),
        Column("reason", STRING, f"Why not: {DUPLICATE_DROPPED} or {RELATIVE_DROPPED}; null: kept", True),
        Column("relative_kept", STRING, "Sample id of the nearest relative that is kept; null: kept", True),
        Column("n_relatives", INT, "Samples to which it is related at relatedness.max_unrelated_kinship"),
        Column("call_rate", DOUBLE, "Share of the sites of the kinship at which it has a call"),
    ),
    partition_by=("callset_id",),
    sort_by=("sample_index",),
    checks={"kept_or_why_not": "is_kept = (reason IS NULL)"},
)
