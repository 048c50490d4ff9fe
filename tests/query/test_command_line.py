"""``allofus`` without Spark: what is wrong with a command is said before anything starts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import allofus_spark
from allofus_spark.cli import look, main
from allofus_spark.settings import Settings
from allofus_spark.tables import contracts
from allofus_spark.tables.catalog import MADE_BY, how_to_make


@pytest.fixture(autouse=True)
def no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object, **__: object) -> None:
        raise AssertionError("a Spark session was started")

    monkeypatch.setattr("allofus_spark.session.start_session", start)


def allofus(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_help_shows_a_first_session_and_every_command() -> None:
    answer = allofus("--help")
    assert answer.exit_code == 0
    assert {"ingest-genotypes", "variant"} <= set(main.commands)
    for name in main.commands:
        assert name in answer.output
    assert "allofus query" in answer.output


def paths_of(group: click.Group) -> Iterator[list[str]]:
    """The words that call each command; of a group, those of its commands."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from ([name, *path] for path in paths_of(command))
        else:
            yield [name]


@pytest.mark.parametrize("path", paths_of(main), ids=" ".join)
def test_every_command_explains_itself_and_takes_the_common_options(path: list[str]) -> None:
    answer = allofus(*path, "--help")
    assert answer.exit_code == 0
    for option in ("--settings", "--warehouse", "--set"):
        assert option in answer.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "No such command 'nothing'"),
        (["ingest-genotypes", "a.vcf"], "Missing option '--callset'"),
        (
            ["ingest-genotypes", "--callset=c", "--date=2026-01-01", "--build=GRCh38"],
            "Missing argument",
        ),
        (["ingest-samples", "--callset", "c", "--column", "IID", "a.tsv"], "IID: write NAME=COLUMN"),
        (
            ["ingest-persons", "--column", "income=a", "--column", "income=b", "p.tsv"],
            "one column is named twice",
        ),
        (["query"], "Missing argument 'SQL'"),
        (["query", "--format", "xml", "SELECT 1"], "'xml' is not one of"),
    ],
)
def test_a_wrong_call_is_a_usage_error(arguments: list[str], message: str) -> None:
    answer = allofus(*arguments)
    assert answer.exit_code == 2
    assert message in answer.output


def test_commands_that_messages_name_are_there() -> None:
    package = Path(allofus_spark.__file__).parent
    named = {
        name
        for path in package.rglob("*.py")
        for name in re.findall(r"\brun allofus ([a-z-]+)", path.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= set(main.commands)


def test_every_table_names_a_command_that_makes_it() -> None:
    assert set(MADE_BY) == {table.name for table in contracts(Settings())}
    assert set(MADE_BY.values()) <= {" ".join(path) for path in paths_of(main)}
    assert how_to_make("frequencies_of_mine") == "run allofus frequencies --samples FILE --table mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status", "--set", "ingest.max_alt=3"], "error: .*ingest.max_alt.*max_alts"),
        (["status", "--set", "ingest.max_alts=none"], "error: .*ingest.max_alts"),
        (["status", "--settings", "absent.toml"], "error: .*absent.toml"),
        (["frequencies", "--samples", "a.txt"], "--samples goes with --out FILE or --table NAME"),
        (["frequencies", "--out", "a.tsv"], "--samples goes with"),
        (
            ["qc", "--unrelated", "a.txt", "--assume-unrelated"],
            "either --unrelated FILE or --assume-unrelated",
        ),
        (["query", "DROP TABLE variants"], "error: only SELECT is answered, not DROP"),
        (["query", "SELECT * FROM csv.`/etc/passwd`"], "error: .*paths and other catalogs are refused"),
    ],
)
def test_what_can_be_known_without_spark_is_said_without_it(arguments: list[str], message: str) -> None:
    answer = allofus(*arguments)
    assert answer.exit_code == 1
    assert not answer.stdout
    assert answer.stderr.startswith("error: ")
    assert re.search(message, answer.stderr, re.DOTALL)


def test_cells_are_empty_for_null_and_json_for_what_is_nested(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [[None, 1.5, [1, None], b"\x01\xff", "a\tb"]]
    look._print_rows(["a", "b", "c", "d", "e"], iter(rows), "tsv")
    assert capsys.readouterr().out == 'a\tb\tc\td\te\n\t1.5\t[1, null]\t01ff\t"a\tb"\n'
    look._print_rows(["a", "b", "c", "d", "e"], iter(rows), "json")
    answer = json.loads(capsys.readouterr().out)
    assert answer == {"a": None, "b": 1.5, "c": [1, None], "d": "01ff", "e": "a\tb"}
    assert not math.isnan(answer["b"])


def test_jobs_are_thin_scripts_that_show_the_same_help() -> None:
    for job in sorted(Path("jobs").glob("*.py")):
        lines = job.read_text().splitlines()
        assert len(lines) < 20, job
        assert any(line.startswith("Reads") for line in lines), job
        assert any(line.startswith("Writes") for line in lines), job
