"""``allofus verify-release``: what it prints, its status, and that it starts no JVM."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from allofus_spark.cli import main
from tests.disclosure.folders import release, sizes, variant, write_manifest

GOOD = {
    "groups": sizes(afr=200, eas=500, eur=1000, unlabelled=0, all=1700),
    "variants": [variant(afr=(100, 400), eas=(600, 1000), eur=(900, 2000), all=(1600, 3400))],
}
BAD = GOOD | {"variants": [variant(afr=(None, 400), eas=(600, 1000), eur=(900, 2000), all=(1512, 3400))]}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["verify-release", *arguments])


def test_a_good_release_ends_with_0(tmp_path: Path) -> None:
    result = run(str(release(tmp_path / "v1", GOOD)))
    assert result.exit_code == 0, result.output
    assert "Nothing of 1 to 20 people was derived" in result.output
    assert "counts of people in a cell" in result.output


def test_a_bad_release_ends_with_1_and_says_how(tmp_path: Path) -> None:
    result = run(str(release(tmp_path / "v1", BAD)))
    assert result.exit_code == 1
    said = "variants chr1:100 A>G: 6 to 12 carriers in afr: by the total of all in v1"
    assert said in result.output
    assert "not to be published" in result.output


def test_a_version_of_a_warehouse_as_json(tmp_path: Path) -> None:
    release(tmp_path / "public" / "releases" / "v1", BAD)
    result = run("--version", "v1", "--warehouse", str(tmp_path), "--json")
    read = json.loads(result.output)
    assert (result.exit_code, read["release"], read["floor"]) == (1, "v1", 20)
    assert read["derived"][0]["how"] == "by the total of all in v1"


def test_earlier_releases_are_those_of_the_manifest(tmp_path: Path) -> None:
    release(tmp_path / "v1", {"groups": sizes(afr=200, all=200)})
    release(tmp_path / "v2", {"groups": sizes(afr=207, all=207)})
    write_manifest(tmp_path / "v2", previous=["v1"])
    result = run(str(tmp_path / "v2"))
    assert result.exit_code == 1
    assert (
        "groups v2: 7 participants more or fewer in afr: as the difference between v1 and v2" in result.output
    )


def test_another_floor(tmp_path: Path) -> None:
    folder = str(release(tmp_path / "v1", BAD))
    assert run(folder, "--floor", "5").exit_code == 0
    assert run(folder, "--floor", "12").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no/such/folder"], "is no release: it has no manifest.json"),
        ([], "give the FOLDER of a release, or its --version"),
        (["--version", "v1", "--warehouse", "s3://bucket/warehouse"], "no local or mounted folder"),
    ],
)
def test_what_is_no_release(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code != 0
    assert said in result.output


def test_no_jvm_is_started(tmp_path: Path) -> None:
    folder = release(tmp_path / "v1", GOOD)
    code = (
        "import sys; from pathlib import Path; from allofus_spark.disclosure import verify_release; "
        f"verify_release(Path({str(folder)!r})); from pyspark import SparkContext; "
        "sys.exit(SparkContext._gateway is not None)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
