"""Callsets and nights in a folder and on an object store, by one session.

    python -m tests.long.on_a_store SOURCES FOLDER STORE KEY=VALUE…

SOURCES is a folder or a prefix that holds what is read, FOLDER and STORE are the warehouses, the pairs
Spark's settings. Prints a line of JSON for each warehouse.
"""

from __future__ import annotations

import json
import sys
import time

from pyspark.sql import SparkSession

from allofus_spark.errors import WarehouseBusy
from allofus_spark.ingest import ingest_catalogue, ingest_genotypes, ingest_samples
from allofus_spark.pipeline import run_nightly
from allofus_spark.query import run_query, warehouse_status
from allofus_spark.session import start_session
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse, start_run
from tools.soak.processes import INTERPRETED

NIGHTLY = ("compute_frequencies", "flag_novelty", "compute_qc", "summarise_variants")
SETTINGS = (
    "genome.bin_width_bases=10000",
    f"nightly.stages={json.dumps(NIGHTLY)}",
    "spark.shuffle_partitions=2",
)


def main(sources: str, folder: str, store: str, *pairs: str) -> None:
    confs = [f"spark.extra.{pair}" for pair in pairs]
    settings = load_settings(overrides=["spark.driver_memory=2g", *INTERPRETED, *SETTINGS, *confs])
    spark = start_session(settings, app_name="on a store")
    for root in (folder, store):
        begun = time.monotonic()
        said = fill(spark, sources, root)
        print("SAID", json.dumps({"root": root, "seconds": time.monotonic() - begun, **said}), flush=True)


def fill(spark: SparkSession, sources: str, root: str) -> dict[str, object]:
    """Two callsets, a catalogue and two nights; what each night did, and what others were told."""
    warehouse = Warehouse(spark, load_settings(warehouse=root, overrides=SETTINGS))
    for callset, date in (("c1", "2026-01-01"), ("c2", "2026-02-01")):
        ingest_samples(warehouse, f"{sources}/{callset}.tsv", callset_id=callset)
        ingest_genotypes(
            warehouse, [f"{sources}/{callset}.vcf.gz"], callset_id=callset, callset_date=date, build="GRCh38"
        )
    ingest_catalogue(warehouse, [f"{sources}/known.vcf.gz"], name="known", version="1", build="GRCh38")
    first, second = run_nightly(warehouse), run_nightly(warehouse)
    query = "SELECT contig, count(*) AS n FROM allele_frequencies GROUP BY contig ORDER BY contig"
    return {
        "first": {result.step.name: result.outcome.value for result in first.results},
        "second": sorted({result.outcome.value for result in second.results}),
        "busy": refusal(warehouse),
        "query": [list(row) for row in run_query(warehouse, query).collect()],
        "tables": len(warehouse_status(warehouse)),
    }


def refusal(warehouse: Warehouse) -> str:
    """What a run is told while another works."""
    with start_run(warehouse, "first"):
        try:
            with start_run(Warehouse(warehouse.spark, warehouse.settings), "second"):
                return "ran"
        except WarehouseBusy as busy:
            return str(busy)


if __name__ == "__main__":
    main(*sys.argv[1:])
