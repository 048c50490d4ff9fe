"""The data files of a local table, for tasks that open them by themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable

_PARTITION = "partition."

PlaceInScope = tuple[str | int, ...]
"""Values of some partition columns, then contig and bin."""


@dataclass(frozen=True)
class LiveFile:
    """One data file: its path, its rows, and the value of each partition column as text."""

    path: str
    rows: int
    partition: Mapping[str, str]


def live_files(folder: str, version: int) -> list[LiveFile]:
    """Files of a version of the Delta table in ``folder``, by path."""
    actions = pa.table(DeltaTable(folder, version=version).get_add_actions(flatten=True)).to_pylist()
    files = [
        LiveFile(
            path=f"{folder}/{unquote(action['path'])}",
            rows=int(action["num_records"]),
            partition={
                name.removeprefix(_PARTITION): str(value)
                for name, value in action.items()
                if name.startswith(_PARTITION)
            },
        )
        for action in actions
    ]
    return sorted(files, key=lambda file: file.path)


def paths_by_partition(files: Iterable[LiveFile], *scope: str) -> dict[PlaceInScope, list[str]]:
    """Paths by the values of the partition columns ``scope``, contig and bin."""
    paths: defaultdict[PlaceInScope, list[str]] = defaultdict(list)
    for file in files:
        own = file.partition
        paths[(*(own[name] for name in scope), own["contig"], int(own["bin"]))].append(file.path)
    return dict(paths)
