"""What a run was asked, so that it can be repeated, and on what its rows rest, to see when it must be.

The fingerprint of a run has an entry for each table that its stage reads (the runs that last changed its
partitions), for the settings and files that shape its rows, and for the version of its results. A stage is
current while today's fingerprint, of what its last run was asked, is the one recorded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyspark.sql import SparkSession

from allofus_spark.hadoop import hadoop_path
from allofus_spark.settings import Settings
from allofus_spark.tables.stages import Stage
from allofus_spark.tables.write_ledger import WriteLedger

if TYPE_CHECKING:
    from pyspark.sql import Row

_MISSING = "missing"


@dataclass(frozen=True)
class Recipe:
    """What a run was asked.

    ``scope`` is the part of the stage's tables that it makes: a set, a scan; empty: all. ``parameters`` go
    back into the stage when it is repeated; None: it cannot be, as it was given a list of samples, say, that
    the warehouse does not keep. ``files`` were read. ``without`` are tables that the stage reads and on which
    the rows of this run do not rest.
    """

    scope: str = ""
    parameters: Mapping[str, Any] | None = field(default_factory=dict)
    files: Sequence[str] = ()
    without: Sequence[str] = ()

    def as_json(self) -> str | None:
        """Parameters and files as ``pipeline_runs.parameters`` keeps them."""
        if self.parameters is None:
            return None
        kept = {"parameters": self.parameters, "files": list(self.files), "without": list(self.without)}
        return json.dumps(kept, sort_keys=True)

    @classmethod
    def of(cls, row: Row) -> Recipe:
        """That of a row of ``pipeline_runs``."""
        if row.parameters is None:
            return cls(row.scope or "", None)
        kept = json.loads(row.parameters)
        return cls(row.scope or "", kept["parameters"], tuple(kept["files"]), tuple(kept.get("without", ())))


BY_HAND = Recipe(parameters=None)
"""That of a run that cannot be repeated."""


def fingerprint_of(
    spark: SparkSession, settings: Settings, stage: Stage, recipe: Recipe, ledger: WriteLedger
) -> dict[str, str]:
    """What a run of a stage rests on, by name."""
    named = [setting_of(settings, key) for key in stage.files]
    files = sorted({*recipe.files, *(str(name) for name in named if name is not None)})
    return {
        "version of results": str(stage.result_version),
        **{f"settings {key}": _digest(setting_of(settings, key)) for key in stage.settings},
        **{f"file {path}": _file_state(spark, path) for path in files},
        **{
            f"table {name}": ledger.state(name)
            for name in stage.reads_with(settings)
            if name not in recipe.without
        },
    }


def setting_of(settings: Settings, key: str) -> Any:
    """A section of the settings, or the value of a key in one."""
    value: Any = settings
    for part in key.split("."):
        value = getattr(value, part)
    return value


def _digest(value: Any) -> str:
    plain = value.model_dump(mode="json") if hasattr(value, "model_dump") else value
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def _file_state(spark: SparkSession, path: str) -> str:
    """Size and time of a file, which differ when it is another one."""
    file_system, place = hadoop_path(spark, path)
    if not file_system.exists(place):
        return _MISSING
    status = file_system.getFileStatus(place)
    return f"{status.getLen()} bytes at {status.getModificationTime()}"
