"""The nightly recompute as an Airflow 3 DAG: a task for each stage, run where it is stale, then upkeep.

Copy this file to Airflow's folder of DAGs. It needs nothing but Airflow: the tasks are spark-submit commands
for the machine of the worker that runs them. Its environment says where things are:

    ALLOFUS_HOME         the repository with .venv (after `make setup`), jobs/ and conf/
    ALLOFUS_WAREHOUSE    folder or URI of the tables
    ALLOFUS_SUBMIT       spark-submit's own options: --master, --properties-file, --archives (docs/cluster.md)

A stage that fails holds back those that read what it writes, and no others, as in `allofus nightly`. A cron
line that runs that one command does the same work in one session; here each stage has its own, with its own
log, its own state and its own rerun, for some 15 s of start. tests/long/test_schedule.py holds the graph
against the stages' own.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

HOME = os.environ.get("ALLOFUS_HOME", "/opt/allofus-spark")
WAREHOUSE = os.environ.get("ALLOFUS_WAREHOUSE", "/data/warehouse")
SUBMIT = os.environ.get("ALLOFUS_SUBMIT", "--master local[*] --properties-file conf/spark-defaults.conf")

# Each stage, and those that write what it reads.
AFTER = {
    "infer_ancestry_train": (),
    "infer_ancestry_project": ("infer_ancestry_train",),
    "compute_relatedness": ("infer_ancestry_project",),
    "compute_frequencies": ("infer_ancestry_project",),
    "flag_novelty": (),
    "annotate_consequences": (),
    "import_annotation": (),
    "compute_qc": ("infer_ancestry_project", "compute_relatedness", "flag_novelty"),
    "flag_sample_outliers": ("infer_ancestry_project", "compute_qc"),
    "summarise_variants": (
        "compute_frequencies", "flag_novelty", "annotate_consequences", "import_annotation", "compute_qc",
    ),
    "ingest_persons": (),
    "report_cohort": ("ingest_persons",),
    "build_phenotypes": ("infer_ancestry_project", "ingest_persons"),
    "run_associations": (
        "infer_ancestry_project", "compute_relatedness", "ingest_persons", "build_phenotypes",
    ),
    "replicate": ("build_phenotypes", "run_associations"),
}  # fmt: skip


def command(job: str, *options: str) -> str:
    """Submit a job of this repository, with the environment's Python."""
    words = [f"jobs/{job}.py", "--settings", "conf/cluster.toml", "--warehouse", f"'{WAREHOUSE}'", *options]
    return f"cd '{HOME}' && PATH=\"$PWD/.venv/bin:$PATH\" spark-submit {SUBMIT} {' '.join(words)}"


with DAG(
    "allofus_nightly",
    description="What is stale in the warehouse, made anew",
    schedule="0 2 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    # One run at a time works in a warehouse: its lease would refuse a second one.
    max_active_tasks=1,
    # A task that is tried again takes up where the killed one was: what is current is not made twice.
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5), "append_env": True},
    tags=["allofus-spark"],
) as dag:
    stages = {
        name: BashOperator(task_id=name, bash_command=command("nightly", "--stage", name)) for name in AFTER
    }
    for name, before in AFTER.items():
        stages[name].set_upstream([stages[other] for other in before])
    maintain = BashOperator(task_id="maintain", bash_command=command("maintain"), trigger_rule="all_done")
    maintain.set_upstream(list(stages.values()))
