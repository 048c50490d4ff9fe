"""The file of a subset's frequencies is put in its place, or stays where it was made."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from allofus_spark.errors import BadSource
from allofus_spark.frequencies import subset


class NoRename:
    """A file system that will not move a file, and says so as Hadoop's do: by a word, not an error."""

    def __init__(self, file_system: object) -> None:
        self._file_system = file_system

    def __getattr__(self, name: str) -> object:
        return getattr(self._file_system, name)

    def rename(self, *_: object) -> bool:
        return False


def test_a_result_that_cannot_be_moved_is_named_and_kept(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = spark.sql(
        "SELECT explode(array(2, 1)) AS position, 0 AS bin, 'chr1' AS contig, 'A' AS ref, 'C' AS alt"
    )
    file = tmp_path / "subset.tsv"
    subset.write_file(rows, str(file))
    assert file.read_text() == "position\tcontig\tref\talt\n1\tchr1\tA\tC\n2\tchr1\tA\tC\n"

    open_path = subset.hadoop_path
    monkeypatch.setattr(
        subset, "hadoop_path", lambda *given: (NoRename(open_path(*given)[0]), open_path(*given)[1])
    )
    with pytest.raises(
        BadSource, match=r"subset\.tsv: the result cannot be moved there; it is file:.*/part-"
    ):
        subset.write_file(rows, str(file))
    (part,) = Path(f"{file}.writing").glob("part-*")
    assert part.read_text().count("\n") == 3
