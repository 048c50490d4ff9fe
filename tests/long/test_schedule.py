"""The schedules of conf/schedule: an Airflow DAG, read by Airflow itself, and a cron line, run by a shell."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from allofus_spark.cli import main as allofus
from allofus_spark.tables.stages import STAGES, upstream
from tests.long.clusters import ROOT

SCHEDULE = ROOT / "conf" / "schedule"
LOCK = ROOT / "requirements" / "airflow.txt"
# Airflow pins much that this project needs in other versions, so it has an environment of its own.
AIRFLOW = ROOT / ".cache" / "airflow"
READ_DAGS = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
dags = {
    name: {
        "at_once": [dag.max_active_runs, dag.max_active_tasks],
        "tasks": {
            task.task_id: {
                "after": sorted(task.upstream_task_ids),
                "command": task.bash_command,
                "rule": task.trigger_rule.value,
            }
            for task in dag.tasks
        },
    }
    for name, dag in bag.dags.items()
}
errors = {str(key): str(text) for key, text in bag.import_errors.items()}
print("READ", json.dumps({"errors": errors, "dags": dags}))
"""


@pytest.fixture(scope="module")
def airflow_python() -> Path:
    """Python of an environment that has Airflow, made once for each state of its lock."""
    python, stamp = AIRFLOW / "bin" / "python", AIRFLOW / "lock.sha256"
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != lock:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(AIRFLOW)], check=True)
        install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--require-hashes",
            "--requirement",
            str(LOCK),
        ]
        subprocess.run([str(python), *install], check=True)
        stamp.write_text(lock)
    return python


@pytest.fixture(scope="module")
def read(airflow_python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What Airflow reads in the folder."""
    environment = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "ALLOFUS_HOME": str(ROOT),
        "ALLOFUS_WAREHOUSE": "/data/a warehouse",
        "ALLOFUS_SUBMIT": "--master spark://head:7077 --archives env.tar.gz#env",
    }
    command = [str(airflow_python), "-c", READ_DAGS, str(SCHEDULE)]
    done = subprocess.run(command, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("READ "))
    return json.loads(line.removeprefix("READ "))


@pytest.fixture
def submitted(tmp_path: Path) -> Path:
    """A folder with a spark-submit that writes down its arguments, and ends as the file `code` says."""
    program = tmp_path / "bin" / "spark-submit"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\nexit $(cat {tmp_path}/code)\n'
    )
    program.chmod(0o755)
    (tmp_path / "code").write_text("0")
    return tmp_path


def test_airflow_reads_the_dag_and_its_tasks_are_the_stages(read: dict) -> None:
    assert read["errors"] == {}
    (dag,) = read["dags"].values()
    assert dag["at_once"] == [1, 1]
    tasks = dict(dag["tasks"])
    maintain = tasks.pop("maintain")
    assert {name: task["after"] for name, task in tasks.items()} == {
        name: sorted(upstream(stage)) for name, stage in STAGES.items()
    }
    assert {task["rule"] for task in tasks.values()} == {"all_success"}
    assert (maintain["after"], maintain["rule"]) == (sorted(STAGES), "all_done")


def test_each_task_submits_a_job_that_takes_its_options(read: dict, submitted: Path) -> None:
    (dag,) = read["dags"].values()
    for name, task in dag["tasks"].items():
        # The environment's own Python has a spark-submit too, and comes first on the task's path.
        command = task["command"].replace('PATH="$PWD/.venv/bin:$PATH"', f"PATH='{submitted}/bin':$PATH")
        assert command != task["command"]
        subprocess.run(["bash", "-c", command], check=True)
        given = (submitted / "arguments").read_text().splitlines()
        assert given[:4] == ["--master", "spark://head:7077", "--archives", "env.tar.gz#env"]
        job, options = given[4], given[5:]
        assert (ROOT / job).is_file()
        stage = ["--stage", name] if name in STAGES else []
        assert options == ["--settings", "conf/cluster.toml", "--warehouse", "/data/a warehouse", *stage]
        taken = allofus.commands[Path(job).stem].make_context(job, list(options))
        assert isinstance(taken, click.Context)


def test_the_cron_line_is_silent_when_all_is_well_and_tells_when_not(submitted: Path) -> None:
    text = (SCHEDULE / "crontab").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    names = dict(line.split("=", 1) for line in lines[:-1])
    schedule, command = lines[-1].split("  ", 2)[0], lines[-1].split("  ", 1)[1]
    assert len(schedule.split()) == 5
    # Cron turns an escaped per cent sign into a plain one, and a plain one into the end of the line.
    assert "%" not in command.replace("\\%", "")
    command = command.replace("\\%", "%").replace("$PWD/.venv/bin:", f"{submitted}/bin:")
    names |= {"ALLOFUS_HOME": str(ROOT), "ALLOFUS_LOGS": str(submitted), "PATH": os.environ["PATH"]}

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(["sh", "-c", command], env=names, text=True, capture_output=True)

    well = run()
    assert (well.returncode, well.stdout, well.stderr) == (0, "", "")
    given = (submitted / "arguments").read_text().splitlines()
    assert given[: len(shlex.split(names["SUBMIT"]))] == shlex.split(names["SUBMIT"])
    assert given[-5:] == [
        "jobs/nightly.py",
        "--settings",
        "conf/cluster.toml",
        "--warehouse",
        "/data/warehouse",
    ]
    (submitted / "code").write_text("3")
    failed = run()
    assert failed.returncode == 3
    assert "nightly ended with exit code 3" in failed.stdout
