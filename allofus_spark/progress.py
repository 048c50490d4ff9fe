"""Progress of long Spark work, as lines that an operator can follow and a log can keep."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

_log = logging.getLogger("allofus_spark.progress")
_INTERVAL_SECONDS = 5.0


def show_progress() -> None:
    """Write our own messages to standard error, with the time; other libraries stay quiet."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    logger = logging.getLogger("allofus_spark")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


@contextmanager
def watch_tasks(spark: SparkSession) -> Iterator[None]:
    """Every few seconds while the block runs, say how many tasks of each active stage are done."""
    stop = threading.Event()

    def watch() -> None:
        tracker = spark.sparkContext.statusTracker()
        said = ""
        while not stop.wait(_INTERVAL_SECONDS):
            stages = (tracker.getStageInfo(number) for number in sorted(tracker.getActiveStageIds()))
            text = ", ".join(f"{stage.numCompletedTasks}/{stage.numTasks}" for stage in stages if stage)
            if text and text != said:
                _log.info("  tasks done: %s", text)
                said = text

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
