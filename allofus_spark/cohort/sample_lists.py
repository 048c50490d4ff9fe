"""Lists of sample ids that users give as files."""

from __future__ import annotations

from pathlib import Path

from allofus_spark.delimited import read_text, split_rows
from allofus_spark.errors import BadSamples


def read_sample_ids(path: str | Path) -> list[str]:
    """Sample ids of a file: one a line, or the column ``sample_id`` of a TSV or CSV with a header."""
    rows = [row for _, row in split_rows(read_text(path), "," if str(path).endswith(".csv") else "\t")]
    rows = [row for row in rows if row and row[0].strip()]
    column = 0
    if rows and "sample_id" in rows[0]:
        column = rows[0].index("sample_id")
        rows = rows[1:]
    ids = [row[column] for row in rows]
    if not ids:
        raise BadSamples(f"{path}: no sample ids in it; write one a line, or a column sample_id")
    return ids
