"""The settings files of conf/ for clusters and stores: what they say fits together, and names what exists."""

from __future__ import annotations

import ast
import re
import zipfile
from pathlib import Path

import pytest

from allofus_spark.jars import fetch_jars, jars_folder, spark_jars_folder
from allofus_spark.session.__main__ import main as check
from allofus_spark.session.confs import ENGINE
from allofus_spark.session.properties import read_properties
from allofus_spark.settings import load_settings
from allofus_spark.tables.stages import STAGES, upstream

CONF = Path(__file__).parents[1] / "conf"
CLUSTERS = ("spark-defaults.conf", "yarn.conf", "kubernetes.conf", "dataproc.conf")
STORES = ("s3.conf", "gcs.conf")
NODE_FOLDER = "/opt/allofus-spark/jars"
# They come with jars that this environment has only where somebody fetched them.
ELSEWHERE = ("com.amazonaws.", "com.google.cloud.hadoop.")
CLASS_NAME = re.compile(r"(?:[a-z0-9]+\.)+[A-Z]\w+")


@pytest.fixture(scope="module")
def jars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("jars")
    for jar in fetch_jars(jars_folder()):
        (folder / jar.name).symlink_to(jar.resolve())
    return folder


def put(name: str, jars: Path, folder: Path) -> str:
    """A copy of a file for nodes that have the jars in a folder of this machine."""
    copy = folder / name
    copy.write_text((CONF / name).read_text().replace(NODE_FOLDER, str(jars)))
    return str(copy)


@pytest.mark.parametrize("store", [None, *STORES])
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_session_can_start_with_each(
    cluster: str, store: str | None, jars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [put(name, jars, tmp_path) for name in (cluster, store) if name is not None]
    assert check(files) == 0, capsys.readouterr().out


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_one_without_its_jars_or_with_a_key_given_twice_is_refused(
    cluster: str, jars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = put(cluster, jars, tmp_path)
    bare = tmp_path / "bare.conf"
    lines = Path(whole).read_text().splitlines()
    bare.write_text("\n".join(line for line in lines if not line.startswith("spark.executor.extraClassPath")))
    assert check([str(bare)]) == 1
    assert "on the driver only" in capsys.readouterr().out
    more = tmp_path / "more.conf"
    more.write_text("spark.sql.extensions org.example.Other\n")
    assert check([whole, str(more)]) == 1
    assert "spark.sql.extensions is given 2 times, and the last line wins" in capsys.readouterr().out


@pytest.mark.parametrize("name", [*CLUSTERS, *STORES])
def test_classes_that_are_named_exist(name: str, jars: Path) -> None:
    archives = [*jars.glob("*.jar"), *spark_jars_folder().glob("*.jar")]
    names = {
        found
        for key, value in read_properties(CONF / name).confs.items()
        if not key.endswith("ClassPath") and "dist.files" not in key
        for found in CLASS_NAME.findall(value)
        if not found.startswith(ELSEWHERE)
    }
    assert names
    for archive in archives:
        with zipfile.ZipFile(archive) as held:
            names -= {item[:-6].replace("/", ".") for item in held.namelist() if item.endswith(".class")}
    assert names == set()


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_each_says_to_spark_submit_what_a_session_says_itself(cluster: str) -> None:
    confs = read_properties(CONF / cluster).confs
    given = {key: confs[key] for key in ENGINE if key in confs}
    assert given == {key: ENGINE[key] for key in given}
    assert {"spark.serializer", "spark.sql.extensions", "spark.hadoop.io.compression.codecs"} <= given.keys()


@pytest.mark.parametrize("name", ["cluster.toml", "laptop.toml"])
def test_settings_files_are_read_without_a_complaint(name: str) -> None:
    load_settings(CONF / name)


def test_the_dag_has_the_stages_and_what_each_comes_after() -> None:
    tree = ast.parse((CONF / "schedule" / "airflow_nightly.py").read_text())
    (after,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "AFTER"
    )
    assert {name: list(before) for name, before in after.items()} == {
        name: upstream(stage) for name, stage in STAGES.items()
    }
