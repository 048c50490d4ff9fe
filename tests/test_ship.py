"""Archives for the nodes of a cluster: what is in them, and that it runs there."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from importlib.metadata import Distribution
from pathlib import Path

import pytest

import allofus_spark
from allofus_spark import ship
from allofus_spark.errors import EnvironmentProblem
from allofus_spark.session.kernels import takes_packed_kernels

ROOT = Path(allofus_spark.__file__).parent


def test_the_package_comes_whole_and_is_imported_from_where_it_is_unpacked(tmp_path: Path) -> None:
    packed = ship.pack_package(tmp_path / "made" / "package.tar.gz")
    subprocess.run(["tar", "-xzf", str(packed.file), "-C", str(tmp_path)], check=True)
    names = {path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()}
    kept = {name for name in names if "__pycache__" not in name.parts}
    unpacked = tmp_path / "allofus_spark"
    assert kept <= {path.relative_to(unpacked) for path in unpacked.rglob("*") if path.is_file()}
    program = "import allofus_spark.genome as g; g.load_build('GRCh38'); print(g.__file__)"
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=packed.file.parent,
        env={"PYTHONPATH": str(tmp_path)},
        text=True,
        capture_output=True,
    )
    assert said.stdout.strip() == str(unpacked / "genome" / "__init__.py"), said.stderr


def test_what_tasks_import_is_packed_and_what_spark_brings_is_not() -> None:
    needed = {
        item.name.lower()
        for item in ship.needed_distributions(["allofus-spark", "pandas"], without=ship.ON_THE_DRIVER)
    }
    assert {"allofus-spark", "numpy", "numba", "llvmlite", "pyarrow", "pandas", "pysam", "isal"} <= needed
    assert not {"hail", "pyspark", "pytest", "ruff", "plotly", "boto3"} & needed
    assert {"hail", "pyspark", "py4j"} <= {
        item.name.lower() for item in ship.needed_distributions(["allofus-spark"])
    }


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(EnvironmentProblem, match="allofus-spark needs the Python package no-such-thing"):
        ship.needed_distributions(["no_such_thing"])


def test_an_environment_has_links_to_the_python_of_the_nodes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def only_isal(*_: object, **__: object) -> list[Distribution]:
        return [Distribution.from_name("isal")]

    monkeypatch.setattr(ship, "needed_distributions", only_isal)
    packed = ship.pack_environment(tmp_path / "env.tar.gz", python="/usr/bin/python3.11")
    with tarfile.open(packed.file) as archive:
        links = {member.name: member.linkname for member in archive if member.issym()}
        (config,) = (archive.extractfile(member).read() for member in archive if member.name == "pyvenv.cfg")
        names = archive.getnames()
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert links == {"bin/python": "/usr/bin/python3.11", "bin/python3": "python", f"bin/{version}": "python"}
    assert b"home = /usr/bin\n" in config
    assert f"lib/{version}/site-packages/isal/__init__.py" in names
    assert f"lib/{version}/site-packages/allofus_spark/ship.py" in names
    assert len(names) == len(set(names))


def test_an_archive_that_fails_leaves_what_was_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    out = tmp_path / "package.tar.gz"
    out.write_text("before")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "add", full)
    with pytest.raises(EnvironmentProblem, match=r"cannot be written: .*No space left on device"):
        ship.pack_package(out)
    assert [path.name for path in tmp_path.iterdir()] == ["package.tar.gz"]
    assert out.read_text() == "before"


def test_an_archive_must_have_the_name_that_spark_unpacks(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        ship.main(["--out", str(tmp_path / "env.zip"), "--package-only"])


def test_a_folder_of_the_user_is_taken_before_kernels_beside_the_modules(tmp_path: Path) -> None:
    assert not takes_packed_kernels(str(tmp_path))
