"""Callsets and nights on s3a://, with conf/s3.conf, on a server that speaks S3."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from allofus_spark.jars import FOLDER_VARIABLE, fetch_jars
from allofus_spark.session.properties import parse_properties
from tests.cases.vcf_files import gt_record, vcf_text, write_bgzip, write_bytes
from tests.long.clusters import ROOT, free_port, wait_for
from tests.long.on_a_store import NIGHTLY
from tools.soak.contents import contents
from tools.soak.processes import brief_environment

JARS = ROOT / ".cache" / "jars-s3"
BUCKET = "allofus"
SOURCES, WAREHOUSE = f"s3a://{BUCKET}/in", f"s3a://{BUCKET}/w"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
SHARED = ("chr1", 9_000, "A", "G")  # in both callsets and in the catalogue
ALLELES = {
    "c1": [SHARED, ("chr1", 15_000, "C", "T"), ("chr2", 7, "G", "GA"), ("chrX", 3_000_000, "T", "C")],
    "c2": [SHARED, ("chr2", 7, "G", "GA"), ("chr3", 20_001, "A", "C")],
}
N_SAMPLES = 6


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in a process of its own: delta-rs holds Python's lock while it waits for an answer."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    with (tmp_path_factory.mktemp("server") / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: is_open(port), 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def write_sources(folder: Path) -> list[Path]:
    """Two callsets with their samples, and a catalogue."""
    files = []
    for callset, alleles in ALLELES.items():
        names = [f"{callset}_{number}" for number in range(N_SAMPLES)]
        calls = [("0/1", "1/1", "0/0", "./.", "0/0", "0/1")[shift:] + ("0/0",) * shift for shift in range(4)]
        records = [
            gt_record(*calls[place], contig=contig, pos=position, ref=ref, alt=alt)
            for place, (contig, position, ref, alt) in enumerate(alleles)
        ]
        rows = [
            f"{name}\t{('XX', 'XY')[place % 2]}\t{('afr', 'eur')[place // 3]}"
            for place, name in enumerate(names)
        ]
        files.append(write_bgzip(folder / f"{callset}.vcf.gz", vcf_text(records, names)))
        files.append(
            write_bytes(
                folder / f"{callset}.tsv", "\n".join(["sample_id\tsex_karyotype\tancestry", *rows, ""])
            )
        )
    contig, position, ref, alt = SHARED
    known = vcf_text([f"{contig} {position} rs1 {ref} {alt} . . ."], None)
    return [*files, write_bgzip(folder / "known.vcf.gz", known)]


def session_confs(endpoint: str) -> dict[str, str]:
    """conf/s3.conf, with its lines for another server than Amazon's."""
    text = (ROOT / "conf" / "s3.conf").read_text()
    lines = [line.removeprefix("# ") for line in text.splitlines() if "spark." in line[:9]]
    return {**parse_properties("\n".join(lines)).confs, "spark.hadoop.fs.s3a.endpoint": endpoint}


@pytest.fixture(scope="module")
def made(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """What was said about each warehouse, by where it is."""
    fetch_jars(JARS, s3=True)
    folder = tmp_path_factory.mktemp("store")
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"], aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip
    client.create_bucket(Bucket=BUCKET)
    for file in write_sources(folder):
        client.upload_file(str(file), BUCKET, f"in/{file.name}")
    pairs = [f"{key}={value}" for key, value in session_confs(endpoint).items()]
    local = str(folder / "w")
    command = [sys.executable, "-m", "tests.long.on_a_store", SOURCES, local, WAREHOUSE, *pairs]
    environment = brief_environment(**KEYS, **{FOLDER_VARIABLE: str(JARS), "PYTHONPATH": str(ROOT)})
    done = subprocess.run(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, done.stdout[-8000:]
    said = [json.loads(line[5:]) for line in done.stdout.splitlines() if line.startswith("SAID ")]
    return {("store" if item["root"] == WAREHOUSE else "folder"): item for item in said}


def test_tables_and_answers_are_those_of_a_folder(made: dict[str, dict], endpoint: str) -> None:
    print({place: said["seconds"] for place, said in made.items()})
    store = {**KEYS, "AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true"}
    local = contents(made["folder"]["root"])
    assert {"genotypes", "allele_counts", "novelty", "variant_qc", "variant_summary"} <= local.keys()
    assert contents(WAREHOUSE, store) == local
    assert (
        made["store"]["query"]
        == made["folder"]["query"]
        == [["chr1", 2], ["chr2", 1], ["chr3", 1], ["chrX", 1]]
    )
    assert made["store"]["tables"] == made["folder"]["tables"]


def test_a_second_night_has_nothing_to_do(made: dict[str, dict]) -> None:
    for said in made.values():
        done = {name.split()[0] for name, outcome in said["first"].items() if outcome == "done"}
        assert set(NIGHTLY) <= done
        assert said["second"] == ["current"]


def test_a_second_run_at_once_is_refused(made: dict[str, dict]) -> None:
    assert "another run works in this warehouse: first" in made["store"]["busy"]
