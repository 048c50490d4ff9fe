"""The commands and jobs as an operator runs them: processes of their own, on a local master."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyspark
import pytest
from pyspark.sql import SparkSession

from allofus_spark.ingest import ingest_samples
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse
from tests.cases.vcf_files import gt_record, vcf_text, write_bgzip, write_bytes
from tools.soak.processes import brief_environment

pytestmark = pytest.mark.long


ROOT = Path(__file__).parents[2]
# Small, as it runs beside the session of the other tests.
SMALL = ["--set", "spark.shuffle_partitions=2"]
MASTER = ["--set", "spark.driver_memory=1g", "--set", "spark.master=local[2]"]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = brief_environment(PYSPARK_PYTHON=sys.executable)
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=300, check=False
    )


def allofus(command: str, warehouse: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("allofus")
    return run(str(program), command, "--warehouse", str(warehouse), *SMALL, *MASTER, *arguments)


def submit(job: str, warehouse: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    options = ["--master", "local[2]", "--driver-memory", "1g"]
    options += ["--properties-file", str(ROOT / "conf" / "spark-defaults.conf")]
    script = str(ROOT / "jobs" / job)
    return run(str(program), *options, script, "--warehouse", str(warehouse), *SMALL, *arguments)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A callset of two shards and its sample file, in a folder with a name that needs care."""
    folder = tmp_path_factory.mktemp("operator") / "my data é"
    folder.mkdir()
    shards = [gt_record("0/1", "1/1", "./."), gt_record("./.", "./.", "./.", pos=200)]
    write_bytes(folder / "a.vcf", vcf_text(shards, ["S1", "S2", "S3"]))
    x = gt_record("1", "0/1", "./1", contig="chrX", pos=50_000_000)
    write_bgzip(folder / "b.vcf.gz", vcf_text([x], ["S1", "S2", "S3"]))
    samples = "IID\tsex_karyotype\tancestry\nS1\tXY\tAFR\nS2\tXX\teur\nS3\tXY\teur\n"
    write_bytes(folder / "samples.tsv", samples)
    return folder


def test_jobs_by_spark_submit_and_a_query_by_allofus(
    inputs: Path, spark: SparkSession, tmp_path: Path
) -> None:
    warehouse = tmp_path / "warehouse"
    tables = Warehouse(spark, load_settings(warehouse=str(warehouse)))
    ingest_samples(tables, inputs / "samples.tsv", callset_id="c1", columns={"sample_id": "IID"})

    options = ["--callset", "c1", "--date", "2026-01-01", "--build", "GRCh38"]
    ingest = submit("ingest_genotypes.py", warehouse, *options, str(inputs))
    assert ingest.returncode == 0, ingest.stderr
    assert "records kept" in ingest.stdout
    assert "ingest_genotypes: " in ingest.stdout  # progress; spark-submit joins a script's two outputs

    frequencies = submit("compute_frequencies.py", warehouse)
    assert frequencies.returncode == 0, frequencies.stderr

    pairs = [(group, field) for group in ("overall", "afr", "eur") for field in ("ac", "an", "af")]
    columns = ", ".join(f"{group}.{field} AS {group}_{field}" for group, field in pairs)
    question = f"SELECT variant_id, {columns}, max_af_group FROM allele_frequencies ORDER BY variant_id"
    answer = allofus("query", warehouse, "--format", "json", question)
    assert answer.returncode == 0, answer.stderr
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    values = {row.pop("variant_id"): list(row.values()) for row in rows}
    assert values == {
        "1-100-A-T": [3, 4, 0.75, 1, 2, 0.5, 2, 2, 1.0, "eur"],
        "1-200-A-T": [0, 0, None, 0, 0, None, 0, 0, None, None],
        "X-50000000-A-T": [3, 4, 0.75, 1, 1, 1.0, 2, 3, 2 / 3, "afr"],
    }


def test_a_job_that_fails_says_why_in_one_line_and_exits_with_1(inputs: Path, tmp_path: Path) -> None:
    options = ["--callset", "c1", "--date", "2026-01-01", "--build", "GRCh37"]
    answer = submit("ingest_genotypes.py", tmp_path / "w", *options, str(inputs / "samples.tsv"))
    assert answer.returncode == 1
    last = answer.stdout.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert "samples.tsv: not a VCF 4 file" in last
    assert "Traceback" not in answer.stdout + answer.stderr
