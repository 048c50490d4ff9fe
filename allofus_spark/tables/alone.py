"""Whether anybody else has written to the tables of a run: one that outlived its lease, or another tool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from allofus_spark.errors import WarehouseBusy
from allofus_spark.tables.delta_log import others_commits
from allofus_spark.tables.warehouse import Warehouse
from allofus_spark.tables.writes import Written


def check_alone(
    warehouse: Warehouse, run_id: str, bases: Mapping[str, int], written: Iterable[Written]
) -> None:
    """Raise WarehouseBusy where others changed rows of a written table since its version in ``bases``.

    A version holds the rows of all before it, so theirs would be in what the run has made. Commits that only
    lay files anew (OPTIMIZE) change none.
    """
    newest: dict[str, Written] = {}
    for item in sorted(written, key=lambda item: item.version):
        newest[item.table.name] = item
    for name, item in sorted(newest.items()):
        others = others_commits(
            warehouse.spark,
            warehouse.path(item.table),
            item.table,
            after=bases[name],
            until=item.version,
            run_id=run_id,
        )
        if others:
            raise WarehouseBusy(
                f"another process changed rows of table {name} (version {others[0]}) while this run wrote "
                "it: what this run wrote does not count. Start it again."
            )
