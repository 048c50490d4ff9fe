"""Which process holds something, and whether it has ended."""

from __future__ import annotations

import datetime as dt
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

# Fields of /proc/PID/stat after the name: the state, and the ticks from boot to the start of the process.
_STATE, _START = 0, 19
_ENDED = "ZX"  # ended, and its parent has not asked how

Holder = dict[str, Any]


def this_process() -> Holder:
    """What tells this process from all others, now and later."""
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        "process": _identity(os.getpid()),
    }


def is_gone(holder: Holder) -> bool:
    """Whether the holder is a process of this host that has ended, by itself or with the machine."""
    if holder.get("host") != socket.gethostname() or "pid" not in holder:
        return False
    then, now = holder.get("process"), _identity(os.getpid())
    if then is None or now is None:  # no /proc: the number of the process is all that is known
        return not _is_alive(holder["pid"])
    if (then["boot"], then["names"]) == (now["boot"], now["names"]):
        current = _identity(holder["pid"])
        return not _is_alive(holder["pid"]) if current is None else current["start"] != then["start"]
    # Another boot: an earlier one of this machine, or another machine of the same name that still runs.
    return bool(then["boot"] != now["boot"] and holder["started"] < _booted_at())


def _identity(pid: int) -> Holder | None:
    """What tells a process from a later one of the same number; None where /proc does not show it.

    ``names`` is the space in which the number counts: containers have spaces of their own.
    """
    with suppress(OSError, ValueError):
        proc = Path("/proc")
        fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
        start = "" if fields[_STATE] in _ENDED else fields[_START]
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
        return {"boot": boot, "names": os.readlink("/proc/self/ns/pid"), "start": start}
    return None


def _booted_at() -> str:
    """Start of this machine as UTC text; lowest where it cannot be told."""
    with suppress(OSError):
        for line in Path("/proc/stat").read_text().splitlines():
            if line.startswith("btime "):
                booted = dt.datetime.fromtimestamp(int(line.split()[1]), dt.timezone.utc)
                return booted.isoformat(timespec="seconds")
    return ""


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
