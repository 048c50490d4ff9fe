"""The commands of known associations and replication, as somebody types them."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from allofus_spark.cli import main
from allofus_spark.cli.options import clear_errors
from allofus_spark.tables import KNOWN_ASSOCIATIONS
from tests.replication.made_up import LINES, Done
from tests.replication.maps import write_map

pytestmark = pytest.mark.long


@pytest.fixture
def command(done: Done, monkeypatch: pytest.MonkeyPatch):
    """Run a command in the session and warehouse of the tests."""

    @contextmanager
    def opened(*_: object):
        with clear_errors():
            yield done.warehouse

    def run(*arguments: object) -> Result:
        monkeypatch.setattr("allofus_spark.cli.replication.open_warehouse", opened)
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return run


def ingest_words(path: Path, version: str = "1") -> list[object]:
    return ["ingest-known-associations", "--name", "typed", "--version", version, path]


def test_replicate_prints_rates_and_where_the_picture_is(command):
    answer = command("replicate", "--map", "made_up")
    assert answer.exit_code == 0, answer.output
    assert f" {len(LINES)} " in next(line for line in answer.output.splitlines() if line.startswith(" eur"))
    picture = answer.output.splitlines()[-1].removeprefix("Picture: ")
    assert "of the powered" in Path(picture).read_text()


def test_a_scan_or_map_that_is_not_there_is_named_with_those_that_are(command):
    answer = command("replicate", "--scan", "other")
    assert (answer.exit_code, "no scan other: scans are" in answer.output) == (1, True)
    answer = command("replicate", "--map", "pgrm", "--version", "2")
    assert answer.exit_code == 1
    assert "there is no map pgrm 2: name one with --map and --version; there are made_up 1" in answer.output


def test_with_two_maps_one_is_to_be_named(command, tmp_path: Path):
    path = write_map(tmp_path / "map.csv", [{}])
    assert command(*ingest_words(path)).exit_code == 0
    assert command(*ingest_words(path, "2")).exit_code == 0
    assert "there are several maps: name one" in command("replicate").output
    assert "there are several maps typed: name one" in command("replicate", "--map", "typed").output
    assert command("replicate", "--map", "typed", "--version", "2").exit_code == 0


def test_a_file_of_another_system_is_read(done: Done, command, tmp_path: Path):
    """A byte-order mark, CRLF, another name of a column, and frequencies that lack the key."""
    path = write_map(tmp_path / "map.csv", [{"cat_OR": "1.0", "cat_L95": "0.9"}])
    text = path.read_text().replace("phecode,", "code,").replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    frequencies = tmp_path / "af.csv"
    frequencies.write_text("SNP_hg38,EUR_RAF\r\n9:9:A:C,0.5\r\n")
    words = [*ingest_words(path, "crlf"), "--column", "phecode=code", "--frequencies", frequencies]
    answer = command(*words)
    assert answer.exit_code == 0, answer.output
    (row,) = done.warehouse.read(KNOWN_ASSOCIATIONS).where("map_version = 'crlf'").collect()
    assert (row.phenotype_id, row.odds_ratio, row.lower95, row.alt_frequencies) == ("250.2", 1.0, 0.9, {})
    assert command("replicate", "--map", "typed", "--version", "crlf").exit_code == 0


def test_a_map_without_lines_or_with_cells_too_many_is_an_error(command, tmp_path: Path):
    path = write_map(tmp_path / "map.csv", [])
    answer = command(*ingest_words(path))
    assert (answer.exit_code, "no line after the header" in answer.output) == (1, True)
    header, line = write_map(path, [{}]).read_text().splitlines()
    path.write_text(f"{header}\n{line.replace('Type 2', 'Type 2,')}\n")
    answer = command(*ingest_words(path))
    assert (answer.exit_code, "line 2 has 17 cells, the header 16" in answer.output) == (1, True)
