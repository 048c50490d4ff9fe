"""The pipeline on s3a://, with conf/s3.conf, on a server that speaks S3."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from allofus_spark.jars import FOLDER_VARIABLE, fetch_jars
from allofus_spark.session.properties import read_properties
from tests.long.clusters import ROOT
from tests.long.contents import table_hashes

JARS = ROOT / ".cache" / "jars-s3"
BUCKET = "allofus"
URI = f"s3a://{BUCKET}/w"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def session_confs(endpoint: str) -> dict[str, str]:
    """conf/s3.conf, with the lines for another server than Amazon's."""
    return {
        **read_properties(ROOT / "conf" / "s3.conf").confs,
        "spark.hadoop.fs.s3a.endpoint": endpoint,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
    }


def environment() -> dict[str, str]:
    return {**os.environ, **KEYS, FOLDER_VARIABLE: str(JARS), "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def made(endpoint: str, cases: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder that has a local warehouse, after the same was made on the store; what was said."""
    import boto3

    fetch_jars(JARS, s3=True)
    boto3.client("s3", endpoint_url=endpoint, aws_access_key_id="test", aws_secret_access_key="test").create_bucket(
        Bucket=BUCKET
    )
    folder = tmp_path_factory.mktemp("store")
    pairs = [f"{key}={value}" for key, value in session_confs(endpoint).items()]
    command = [sys.executable, "-m", "tests.long.on_a_store", str(cases), str(folder), URI, *pairs]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return folder, done.stdout


def test_every_table_is_the_same_as_in_a_folder(made: tuple[Path, str], endpoint: str) -> None:
    folder, said = made
    print(said)
    store: Mapping[str, str] = {**KEYS, "AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true"}
    local = table_hashes(str(folder / "warehouse"))
    assert len(local) > 40
    assert table_hashes(URI, store) == local


def test_a_second_run_at_once_is_refused(made: tuple[Path, str]) -> None:
    (second,) = (line for line in made[1].splitlines() if line.startswith("second: "))
    assert "another run works in this warehouse: first" in second
