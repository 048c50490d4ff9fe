"""Tables of people who withdrew consent: the list that ingests honour, and the proofs that it is kept."""

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import BOOLEAN, LONG, STRING, STRINGS, TIMESTAMP

WITHDRAWALS = Table(
    name="withdrawals",
    zone=Zone.CONTROLLED,
    grain="one sample whose person withdrew consent; every ingest leaves it out",
    key=("sample_id",),
    columns=(
        Column("sample_id", STRING, "Sample id as written in the source; it may be in no callset yet"),
        Column("person_id", STRING, "Person whose sample it is; null: not known", True),
        Column("models", STRINGS, "Models of ancestry_models trained on the sample, which are used no more"),
        Column("withdrawn_at", TIMESTAMP, "When it was entered here, UTC"),
        Column("run_id", STRING, "Run that took the person out of the tables"),
        Column("reason", STRING, "Why, as told; null: not told", True),
    ),
)

WITHDRAWAL_PROOFS = Table(
    name="withdrawal_proofs",
    zone=Zone.CONTROLLED,
    grain="one check, of one table or callset, in one proof that the withdrawn are gone",
    key=("run_id", "check_name", "subject"),
    columns=(
        Column("run_id", STRING, "Run that made the proof; pipeline_runs has its time"),
        Column("check_name", STRING, "What was checked; see docs/methods.md"),
        Column("subject", STRING, "Table or callset that it was checked of"),
        Column("checked", LONG, "Rows, files or log entries looked at"),
        Column("failures", LONG, "How many of them were not as they must be"),
        Column("passed", BOOLEAN, "Whether none was"),
    ),
    checks={"passed_without_failures": "passed = (failures = 0)"},
)
