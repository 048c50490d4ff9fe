"""The process that is killed: it runs the stage of each line that it reads, and tells what it is doing.

``python -m tools.soak.driver WAREHOUSE INPUTS [KEY=VALUE ...]``, with settings beside those of the stages.
Each line that it tells begins with ``@soak``.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

MARK = "@soak "


def main() -> None:
    """Command line."""
    from allofus_spark.session import start_session
    from allofus_spark.settings import load_settings
    from allofus_spark.tables import Warehouse
    from tools.soak.stages import SETTINGS, STAGES

    root, inputs, *overrides = sys.argv[1:]
    settings = load_settings(warehouse=root, overrides=[*SETTINGS, *overrides])
    warehouse = Warehouse(start_session(settings, app_name="soak"), settings)
    _tell_of_steps()
    tell("ready")
    for line in sys.stdin:
        stage = line.strip()
        tell("begin", stage)
        try:
            STAGES[stage](warehouse, Path(inputs))
        except Exception as error:
            tell("failed", f"{type(error).__name__}: {error}")
        else:
            tell("done", stage)


def tell(event: str, what: str = "") -> None:
    """One line for the process that watches."""
    sys.stdout.write(f"{MARK}{json.dumps([event, what])}\n")
    sys.stdout.flush()


def _tell_of_steps() -> None:
    """Messages of the stages, and the beginning and end of each commit."""
    from allofus_spark.tables import runs

    logger = logging.getLogger("allofus_spark")
    logger.handlers[:] = [_Teller()]
    logger.setLevel(logging.INFO)
    commit: Callable[..., Any] = vars(runs)["commit"]

    def told(warehouse: Any, write: Any, metadata: Any) -> Any:
        tell("step", f"commit {write.table.name}")
        written = commit(warehouse, write, metadata)
        tell("step", f"committed {write.table.name}")
        return written

    setattr(runs, "commit", told)  # noqa: B010  Not exported, for others than this one


class _Teller(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        tell("step", record.getMessage())


if __name__ == "__main__":
    main()
