"""Files of allele frequencies that stand beside a map of known associations."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from allofus_spark.delimited import read_table
from allofus_spark.errors import BadSource, shown

# The column of variant keys, by build.
KEY_COLUMNS = {"GRCh37": "SNP_hg19", "GRCh38": "SNP_hg38"}
NOTHING = frozenset(("", "-", "NA"))
# The map calls them frequencies of the risk allele; they are those of alt, whatever the risk allele is.
_FREQUENCY_COLUMN = re.compile(r"([A-Za-z0-9]+)_RAF")


@dataclass(frozen=True)
class Frequencies:
    """Frequencies of alt by variant, as spelled in ``column``, and ancestry."""

    column: str = ""
    ancestries: tuple[str, ...] = ()
    of_variant: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def read_frequencies(path: str | Path) -> Frequencies:
    """Read a CSV or TSV with variant keys and ``EUR_RAF`` or the like; BadSource where it has others."""
    header, rows = read_table(path, " or ".join(KEY_COLUMNS.values()))
    column = next((name for name in KEY_COLUMNS.values() if name in header), None)
    named = {
        match.group(1).lower(): at
        for at, name in enumerate(header)
        if (match := _FREQUENCY_COLUMN.fullmatch(name))
    }
    if column is None or not named:
        raise BadSource(
            f"{path}: a file of frequencies has a column {' or '.join(KEY_COLUMNS.values())}, and EUR_RAF or "
            f"the like for each ancestry; this one has {shown(header)}"
        )
    of_variant = {}
    for line, row in rows:
        if len(row) != len(header):
            raise BadSource(f"{path}: line {line} has {len(row)} cells, the header {len(header)}")
        cells = {ancestry: row[at].strip() for ancestry, at in named.items()}
        numbers = {name: number_in(text) for name, text in cells.items() if text not in NOTHING}
        if bad := [cells[name] for name, value in numbers.items() if value is None or not 0 <= value <= 1]:
            raise BadSource(f"{path}: line {line}: {bad[0]!r} is no frequency from 0 to 1; mend the file")
        of_variant[row[header.index(column)].strip()] = {
            name: value for name, value in numbers.items() if value is not None
        }
    return Frequencies(column, tuple(named), of_variant)


def number_in(text: str | None) -> float | None:
    """A finite number; None where there is none."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
