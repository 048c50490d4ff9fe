"""Two processes write to the journals of access at once: on a local disk Delta alone could lose entries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from allofus_spark.access import load_registry, register
from allofus_spark.settings import load_settings
from allofus_spark.tables import ACCESS_EVENTS, Warehouse
from tools.soak.processes import brief_environment

N_EACH = 25
PROGRAM = """
import sys, time
from pathlib import Path
from allofus_spark.access import record
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse

root, who, n = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
overrides = ["spark.driver_memory=1g", "spark.master=local[1]"]
settings = load_settings(warehouse=str(root), overrides=overrides)
tables = Warehouse(start_session(settings, app_name=who), settings)
record(tables, "ada", "account_enabled", note="warm")
(root / f"ready_{who}").touch()
while len(list(root.glob("ready_*"))) < 2:
    time.sleep(0.05)
for number in range(n):
    record(tables, "ada", "account_enabled", note=f"{who} {number}")
"""


def test_no_entry_is_lost(spark: SparkSession, tmp_path: Path) -> None:
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path / "w")))
    register(warehouse, "ada", name="Ada", institution="X")
    arguments = [sys.executable, "-c", PROGRAM, warehouse.root]
    environment = brief_environment()
    running = [
        subprocess.Popen([*arguments, who, str(N_EACH)], env=environment) for who in ("first", "second")
    ]
    try:
        assert [process.wait(timeout=200) for process in running] == [0, 0]
    finally:
        for process in running:
            process.kill()
    notes = [row.note for row in warehouse.rows(ACCESS_EVENTS)]
    expected = [f"{who} {number}" for who in ("first", "second") for number in range(N_EACH)]
    assert sorted(note for note in notes if note and note != "warm") == sorted(expected)
    assert len(load_registry(warehouse).events) == 2 + 2 + 2 * N_EACH
