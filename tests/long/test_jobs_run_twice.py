"""Every job run again on the same inputs leaves every table with the rows that it had."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from allofus_spark.ancestry import project_samples
from allofus_spark.consequences import import_annotation
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_catalogue, ingest_genotypes, ingest_samples
from allofus_spark.novelty import flag_novelty
from allofus_spark.qc import compute_qc, flag_sample_outliers
from allofus_spark.relatedness import compute_relatedness
from allofus_spark.representation import ingest_persons, report_cohort
from allofus_spark.settings import load_settings
from allofus_spark.summary import summarise_variants
from allofus_spark.tables import Warehouse
from tests.cases.pool import FEW_SITES, OVERRIDES, WIDE, WIDE_SAMPLES, Pool
from tests.cases.pool_records import tell_of_health
from tests.maintenance.contents import content

Jobs = dict[str, Callable[[], object]]
# It names the run whose genotypes were counted, which is another one after they came in again.
NAMES_RUNS = "partition_inputs"


def jobs(held: Warehouse, few: Warehouse, files: Path) -> Jobs:
    """Every job that fills a table, as the pool ran it last; ``files`` is where its inputs lie."""
    columns = {"sample_id": "sample", "sex_karyotype": "sex"}
    about = {"callset_id": "pool", "callset_date": "2026-01-01", "build": "GRCh38"}
    catalogue = {"name": "known", "version": "2", "build": "GRCh38"}
    people = [f"{WIDE}{name}" for name in WIDE_SAMPLES]
    return {
        "ingest_samples": lambda: ingest_samples(
            held, files / "pool.tsv", callset_id="pool", columns=columns
        ),
        "ingest_genotypes": lambda: ingest_genotypes(held, [str(files / "pool.vcf")], replace=True, **about),
        "compute_frequencies": lambda: compute_frequencies(held),
        "compute_frequencies anew": lambda: compute_frequencies(held, recompute=True),
        "compute_qc": lambda: compute_qc(held, assume_unrelated=True),
        "compute_relatedness": lambda: compute_relatedness(few),
        "project_samples": lambda: project_samples(few),
        "ingest_persons": lambda: ingest_persons(held, files / "persons.tsv"),
        "report_cohort": lambda: report_cohort(held),
        "flag_sample_outliers": lambda: flag_sample_outliers(held),
        "health, phenotypes, scan, replication": lambda: tell_of_health(held, files, people, OVERRIDES),
        "ingest_catalogue": lambda: ingest_catalogue(
            held, [str(files / "known_2.vcf")], replace=True, **catalogue
        ),
        "flag_novelty": lambda: flag_novelty(held, catalogues={"known": "2"}),
        "import_annotation": lambda: import_annotation(
            held, str(files / "table.tsv"), annotator="csq2", version="1"
        ),
        "summarise_variants": lambda: summarise_variants(held),
    }


def test_twice_is_once(whole_pool: Pool, tmp_path: Path) -> None:
    files = Path(whole_pool.warehouse.root).parent
    root = shutil.copytree(whole_pool.warehouse.root, tmp_path / "copy")
    spark = whole_pool.warehouse.spark
    held = Warehouse(spark, whole_pool.warehouse.settings.model_copy(update={"warehouse": str(root)}))
    few = Warehouse(spark, load_settings(warehouse=str(root), overrides=FEW_SITES))
    before = content(held)
    assert len(before) > 40
    for job_name, job in jobs(held, few, files).items():
        job()
        after = content(held)
        differ = sorted(name for name in before if after[name] != before[name] and name != NAMES_RUNS)
        assert not differ, f"{job_name} changed {differ}"
        assert after.keys() == before.keys()
