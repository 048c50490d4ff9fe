"""Every table of the pipeline, made in a folder and on an object store by one session.

    python -m tests.long.on_a_store CASES FOLDER URI KEY=VALUE…

The pairs are Spark's settings. Prints what each took, and what a second run was told meanwhile.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from allofus_spark.errors import WarehouseBusy
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse, start_run
from tests.cases.pool import make_pool


def main(cases: str, folder: str, uri: str, *pairs: str) -> None:
    confs = [f"spark.extra.{pair}" for pair in pairs]
    settings = load_settings(overrides=["spark.driver_memory=2g", "spark.shuffle_partitions=2", *confs])
    spark = start_session(settings, app_name="on a store")
    for place, root in (("folder", str(Path(folder, "warehouse"))), ("store", uri)):
        begun = time.monotonic()
        files = Path(folder, place)
        files.mkdir()
        make_pool(spark, Path(cases), files, root)
        print(f"{place}: {time.monotonic() - begun:.0f} s", flush=True)
    with start_run(Warehouse(spark, load_settings(warehouse=uri)), "first"):
        try:
            with start_run(Warehouse(spark, load_settings(warehouse=uri)), "second"):
                print("second: ran")
        except WarehouseBusy as refusal:
            print(f"second: {refusal}")


if __name__ == "__main__":
    main(*sys.argv[1:])
