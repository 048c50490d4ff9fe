"""INFO fields of a VCF of sites, and the columns of variants that they are."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from allofus_spark.published import ALL

_ID = re.compile(r"##INFO=<ID=([^,>]+)")
_MEANINGS = {
    "ac": "ac",
    "an": "an",
    "af": "af",
    "sc": "sc",
    "faf95": "faf95",
    "nhom": "n_hom",
    "nhomalt": "n_hom",
    "nhet": "n_het",
}


def fields_of(path: Path, groups: Sequence[str]) -> dict[str, str]:
    """The column of variants that each INFO field of the header is, by its name; others are left out."""
    fields = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#"):
                break
            found = _ID.match(line)
            column = found and column_of(found[1], groups)
            if found and column:
                fields[found[1]] = column
    return fields


def column_of(field: str, groups: Sequence[str]) -> str | None:
    """The column that a field is: AC is all_ac, AC_afr and afr_AC are afr_ac, nhomalt_afr is afr_n_hom.

    >>> column_of("AC_afr", ["afr"]), column_of("N_HOM", []), column_of("DP", [])
    ('afr_ac', 'all_n_hom', None)
    """
    low = field.lower()
    group = next((name for name in (*groups, ALL) if f"_{name}_" in f"_{low}_"), None)
    rest = f"_{low}_".replace(f"_{group}_", "_", 1) if group else low
    meaning = _MEANINGS.get(rest.replace("_", ""))
    return f"{group or ALL}_{meaning}" if meaning else None


def info_columns(
    batch: pa.RecordBatch, fields: Mapping[str, str], near: float
) -> Iterator[tuple[int, str, str]]:
    """Cells of INFO that differ from the batch's columns: row, column, text."""
    held = {column: batch.column(column).to_pylist() for column in fields.values()}
    for place, info in enumerate(batch.column("info").to_pylist()):
        for item in (info or "").split(";"):
            field, _, text = item.partition("=")
            column = fields.get(field)
            if column is None or text in ("", "."):
                continue
            value = held[column][place]
            if value is None or abs(float(text) - value) > near * abs(value):
                yield place, column, text
