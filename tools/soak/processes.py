"""A driver process with all that it starts, watched by its lines and killed without notice."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tools.soak.driver import MARK

ROOT = Path(__file__).parents[2]
_WORKER = "allofus_spark.session.daemon"  # the command of the process that forks workers, and of each of them
# Settings of a session that sees few rows: for those code takes longer to write and compile than to interpret
# what it says, a fifth of the suite.
INTERPRETED = (
    "spark.extra.spark.sql.codegen.wholeStage=false",
    "spark.extra.spark.sql.codegen.factoryMode=NO_CODEGEN",
)
BRIEF_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_START_SECONDS, _STAGE_SECONDS = 180.0, 300.0


def brief_environment(**names: str) -> dict[str, str]:
    """Variables for a program that starts a Spark of its own and lives for seconds, with ``names`` too.

    Without what a Spark of this process has set; and Java compiles to the first degree, as compiling to the
    last costs more than it saves.
    """
    ours = ("PYSPARK", "SPARK")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "JDK_JAVA_OPTIONS": BRIEF_JAVA, **names}


class Event(NamedTuple):
    """What a driver told, and when, in seconds of the monotonic clock."""

    kind: str
    what: str
    at: float


class Driver:
    """A driver with a Spark session of its own, in a session of processes of its own."""

    def __init__(self, warehouse: Path, inputs: Path, log: Path, *settings: str) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tools.soak.driver", str(warehouse), str(inputs), *settings],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
                env=brief_environment(),
                start_new_session=True,
            )
        self._events: queue.Queue[Event] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.until("ready", seconds=_START_SECONDS)

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing that it started stays behind, however the block ends."""
        if self._process.poll() is None:
            self._kill(_session(self._process.pid))
            self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(MARK):
                kind, what = json.loads(line.removeprefix(MARK))
                self._events.put(Event(kind, what, time.monotonic()))
        self._events.put(Event("ended", "", time.monotonic()))

    def begin(self, stage: str) -> Event:
        """Let it run a stage; the event of its beginning."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{stage}\n")
        self._process.stdin.flush()
        return self.until("begin")[-1]

    def until(self, *kinds: str, seconds: float = _STAGE_SECONDS) -> list[Event]:
        """Events up to the first of these kinds."""
        seen: list[Event] = []
        give_up = time.monotonic() + seconds
        while not seen or seen[-1].kind not in kinds:
            event = self.next_event(give_up - time.monotonic())
            if event is None:
                raise TimeoutError(f"no {' or '.join(kinds)} in {seconds:.0f} s; see {self._log}")
            if event.kind == "ended" and "ended" not in kinds:
                raise RuntimeError(f"the driver ended before {' or '.join(kinds)}; see {self._log}")
            seen.append(event)
        return seen

    def next_event(self, seconds: float) -> Event | None:
        """The next event, if one comes in that time."""
        with suppress(queue.Empty):
            return self._events.get(timeout=max(seconds, 0.001))
        return None

    def kill(self) -> list[Event]:
        """Kill the driver, its JVM and its Python workers without notice; what it had told last."""
        self._kill(_session(self._process.pid))
        self._process.wait()
        return self.until("ended", seconds=30)

    def kill_workers(self) -> int:
        """Kill the Python workers alone; how many there were."""
        session = _session(self._process.pid)
        daemons = {pid for pid in session if _WORKER in _command(pid)}
        workers = [pid for pid in daemons if (fields := _fields(pid)) and int(fields[1]) in daemons]
        self._kill(workers)
        return len(workers)

    def hold_up(self) -> None:
        """Stop the driver's Python where it is, until `go_on`; its JVM runs."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self._process.pid, signal.SIGCONT)

    def end(self) -> None:
        """Let it end by itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def _kill(self, pids: list[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _session(leader: int) -> list[int]:
    """The processes of a session, the leader first."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    members = [pid for pid in pids if (fields := _fields(pid)) and int(fields[3]) == leader]
    return sorted(members)


def _fields(pid: int) -> list[str]:
    """/proc/PID/stat after the name: state, parent, group, session and more; empty where it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""
