"""Partitions of the tables that lie by callset, contig and bin, and which run last changed each."""

from __future__ import annotations

from allofus_spark.tables import Partition, Run, Table


def last_changes(run: Run, table: Table) -> dict[str, dict[Partition, str]]:
    """The run that last changed the rows of each partition, by callset; of partitions that have rows.

    Where the ledger does not know it, this run stands for it: what rests on the partition counts as changed.
    """
    known = run.ledger().last_writes(table.name)
    changes: dict[str, dict[Partition, str]] = {}
    for callset_id, contig, number in sorted(_partitions(run, table)):
        last = known.get(f"callset_id={callset_id}/contig={contig}/bin={number}")
        changes.setdefault(callset_id, {})[contig, number] = last.run_id if last else run.run_id
    return changes


def _partitions(run: Run, table: Table) -> set[tuple[str, str, int]]:
    if run.warehouse.local_root is not None:
        files = [file.partition for file in run.files(table)]
        return {(own["callset_id"], own["contig"], int(own["bin"])) for own in files}
    rows = run.read(table).select("callset_id", "contig", "bin").distinct().collect()
    return {(row.callset_id, row.contig, row.bin) for row in rows}
