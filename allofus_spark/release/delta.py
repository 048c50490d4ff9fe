"""The log of a Delta table of one version, over Parquet files that are written already."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from allofus_spark import __version__
from allofus_spark.tables import Table
from allofus_spark.tables.file_columns import bounds_of
from allofus_spark.tables.shape import new_metadata

_FIRST_VERSION = "_delta_log/00000000000000000000.json"
_PROTOCOL = {"minReaderVersion": 1, "minWriterVersion": 2}


def write_log(folder: Path, table: Table, files: Sequence[Path], release: str) -> Path:
    """Make ``folder``, which holds ``files``, a Delta table, with statistics of the key; the log's file."""
    now = int(time.time() * 1000)
    operation = {"timestamp": now, "operation": "WRITE", "engineInfo": f"allofus-spark/{__version__}"}
    operation["userMetadata"] = json.dumps({"release": release})
    metadata = new_metadata(table, {"delta.appendOnly": "true"})
    actions: list[dict[str, object]] = [
        {"commitInfo": operation},
        {"protocol": _PROTOCOL},
        {"metaData": metadata},
    ]
    actions += [{"add": _add(file, table, now)} for file in files]
    log = folder / _FIRST_VERSION
    log.parent.mkdir()
    log.write_text("".join(json.dumps(action) + "\n" for action in actions), encoding="utf-8")
    return log


def _add(file: Path, table: Table, now: int) -> dict[str, object]:
    stored = pq.read_table(file, columns=list(table.statistics))
    return {
        "path": file.name,
        "partitionValues": {},
        "size": file.stat().st_size,
        "modificationTime": now,
        "dataChange": True,
        "stats": json.dumps(bounds_of(stored, table.statistics)),
    }
