"""Sizes of ancestry groups: hidden ones by the total, and changes between releases."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from allofus_spark.published import table_files


def group_sizes(release: Path) -> dict[str, int | None]:
    """Participants of each group, unlabelled and all; None where withheld."""
    sizes: dict[str, int | None] = {}
    for file in table_files(release, "groups"):
        table = pq.read_table(file, columns=["ancestry", "n_participants"])
        sizes.update(zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True))
    return sizes
