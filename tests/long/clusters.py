"""A Spark standalone cluster of processes: a master and workers that know only what is sent to them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyspark

from allofus_spark.jars import fetch_jars, jars_folder
from tools.soak.processes import BRIEF_JAVA, brief_environment

ROOT = Path(__file__).parents[2]
SPARK_HOME = Path(pyspark.__file__).parent
_START_SECONDS = 60
_JOB_SECONDS = 300


@dataclass
class Cluster:
    """A running cluster, its folder, and the jars that its properties file names."""

    folder: Path
    master: str
    properties: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)

    def start_worker(self) -> None:
        """Another worker of one core; returns when the master knows it."""
        work = self.folder / f"worker{len(self.daemons)}"
        options = ["--host", "127.0.0.1", "--cores", "1", "--memory", "1536m", "--webui-port", "0"]
        log = self._start("worker.Worker", [*options, "--work-dir", str(work), self.master], work)
        self.workers.append(self.daemons[-1])
        wait_for(lambda: "Successfully registered with master" in log.read_text(), _START_SECONDS)

    def kill_a_worker(self) -> None:
        """End a worker and its executor at once, as a machine that is gone."""
        worker = self.workers.pop()
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def submit(self, script: Path, *arguments: str, options: tuple[str, ...] = (), python: str) -> Job:
        """Start a job; ``python`` is what its tasks run."""
        events = self.folder / f"events{time.monotonic_ns()}"
        events.mkdir()
        confs = {
            "spark.executor.memory": "1g",
            "spark.driver.host": "127.0.0.1",
            # Tasks begin when every worker has an executor, so that one is lost with each worker.
            "spark.cores.max": str(len(self.workers)),
            "spark.scheduler.minRegisteredResourcesRatio": "1",
            "spark.scheduler.maxRegisteredResourcesWaitingTime": f"{_START_SECONDS}s",
            "spark.databricks.delta.snapshotPartitions": "2",  # as many as cores; 50 are for many
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": events.as_uri(),
        }
        command = [
            str(SPARK_HOME / "bin" / "spark-submit"),
            *("--master", self.master, "--properties-file", str(self.properties), "--driver-memory", "1g"),
            *(part for key, value in confs.items() for part in ("--conf", f"{key}={value}")),
            *(*options, str(script), *arguments),
        ]
        environment = brief_environment(
            PYSPARK_DRIVER_PYTHON=sys.executable, PYSPARK_PYTHON=python, PYTHONPATH=str(ROOT)
        )
        log = events / "job.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=environment,
                start_new_session=True,
            )
        self.jobs.append(Job(process, log, events, len(self.workers)))
        return self.jobs[-1]

    def _start(self, daemon: str, arguments: list[str], folder: Path) -> Path:
        """Start a daemon that has neither this process's Python path nor its environment; its log."""
        folder.mkdir()
        log = folder / "daemon.log"
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "JAVA_HOME") if key in os.environ}
        environment |= {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m"}
        environment["JDK_JAVA_OPTIONS"] = BRIEF_JAVA  # of executors too
        command = [str(SPARK_HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{daemon}", *arguments]
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )
        self.daemons.append(process)
        return log


@dataclass
class Job:
    """A submitted job."""

    process: subprocess.Popen[bytes]
    log: Path
    _events: Path
    _n_workers: int

    def is_running(self) -> bool:
        return self.process.poll() is None

    def wait(self) -> str:
        """What it said; AssertionError where it failed."""
        code = self.process.wait(_JOB_SECONDS)
        said = self.log.read_text(errors="replace")
        assert code == 0, said[-8000:]
        return said

    def kill(self) -> None:
        """End the driver's Java and Python at once; nothing where it has ended."""
        if self.is_running():
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def has_executors(self) -> bool:
        """Whether every worker has given it an executor."""
        return len(self.events("ExecutorAdded")) == self._n_workers

    def events(self, kind: str) -> list[dict]:
        """Events of one kind that Spark's log of the job has so far."""
        files = [path for path in self._events.iterdir() if path.name.startswith("app-")]
        whole = [
            line for path in files for line in path.read_text().splitlines(keepends=True) if "\n" in line
        ]
        events = [json.loads(line) for line in whole]
        return [event for event in events if event["Event"] == f"SparkListener{kind}"]


@contextmanager
def started_cluster(folder: Path, jars: Path, *, workers: int) -> Iterator[Cluster]:
    """A master and workers on free ports of 127.0.0.1, with conf/spark-defaults.conf for jars in ``jars``."""
    text = (ROOT / "conf" / "spark-defaults.conf").read_text(encoding="utf-8")
    properties = folder / "spark-defaults.conf"
    properties.write_text(text.replace("/opt/allofus-spark/jars", str(jars)), encoding="utf-8")
    port = free_port()
    cluster = Cluster(folder, f"spark://127.0.0.1:{port}", properties)
    try:
        options = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"]
        log = cluster._start("master.Master", options, folder / "master")
        wait_for(lambda: "New state: ALIVE" in log.read_text(), _START_SECONDS)
        for _ in range(workers):
            cluster.start_worker()
        yield cluster
    finally:
        for job in cluster.jobs:
            job.kill()
        for daemon in cluster.daemons:
            daemon.terminate()
        for daemon in cluster.daemons:
            daemon.wait(_START_SECONDS)


def link_jars(folder: Path) -> None:
    """The jars of this environment in a folder, as an image of nodes has them."""
    folder.mkdir()
    for jar in fetch_jars(jars_folder()):
        (folder / jar.name).symlink_to(jar.resolve())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition, seconds: float) -> None:
    """Return when ``condition()`` holds; AssertionError where it does not within ``seconds``."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.02)
