"""Lists of sample ids that users give as files."""

from __future__ import annotations

from pathlib import Path

from allofus_spark.delimited import read_text, split_rows
from allofus_spark.errors import BadSamples, shown


def read_sample_ids(path: str | Path) -> list[str]:
    """Sample ids of a file: one a line, or the column ``sample_id`` of a TSV or CSV with a header.

    Raises BadSamples naming lines that are not blank and have no id, and where there is no id at all.
    """
    rows = split_rows(path, read_text(path), "," if str(path).endswith(".csv") else "\t")
    rows = [(number, row) for number, row in rows if any(map(str.strip, row))]
    column = 0
    if rows and "sample_id" in rows[0][1]:
        column = rows[0][1].index("sample_id")
        rows = rows[1:]
    without = [f"line {number}" for number, row in rows if not "".join(row[column : column + 1]).strip()]
    if without:
        raise BadSamples(f"{path}: {len(without)} lines have no sample id: {shown(without)}; complete them")
    ids = [row[column] for _, row in rows]
    if not ids:
        raise BadSamples(f"{path}: no sample ids in it; write one a line, or a column sample_id")
    return ids
