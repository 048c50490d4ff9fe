"""Whether what a stage made still is what it would make today, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Row

from allofus_spark.tables.recipes import Recipe, fingerprint_of
from allofus_spark.tables.run_tables import PIPELINE_RUNS
from allofus_spark.tables.stages import STAGES, Stage
from allofus_spark.tables.warehouse import Warehouse
from allofus_spark.tables.write_ledger import FINISHED, ledger_of

_TABLE = "table "


@dataclass(frozen=True)
class Made:
    """What the last finished run of a stage and scope made.

    ``changes`` say what is other than then, each in a few words; none: it is current. ``partitions`` are
    those of the tables read that changed since, as TABLE/column=value. ``seconds`` is what the run took.
    """

    stage: Stage
    recipe: Recipe
    changes: Sequence[str]
    partitions: Sequence[str]
    seconds: float


class Freshness:
    """What is current in a warehouse, as of its newest snapshot."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        there = {table.name for table in warehouse.data_tables()}  # somebody may have deleted one
        self._tables = there & set(warehouse.newest_snapshot().versions)
        self._runs = warehouse.rows(PIPELINE_RUNS)
        self.ledger = ledger_of(warehouse)

    def holds(self, table: str) -> bool:
        """Whether the newest snapshot has a table, and it is still there."""
        return table in self._tables

    def made(self) -> list[Made]:
        """Each stage and scope that was ever finished, in the order of stages."""
        scopes = sorted({(row.stage, row.scope or "") for row in self._runs if row.status == FINISHED})
        order = list(STAGES)
        known = [(stage, scope) for stage, scope in scopes if stage in STAGES]
        return [
            self._made(stage, scope) for stage, scope in sorted(known, key=lambda each: order.index(each[0]))
        ]

    def changes(self, stage: str, scope: str = "") -> Sequence[str] | None:
        """What is other than when a stage's scope was made; None where it never was."""
        if not any(self._is_of(row, stage, scope) and row.status == FINISHED for row in self._runs):
            return None
        return self._made(stage, scope).changes

    def _is_of(self, row: Row, stage: str, scope: str) -> bool:
        return row.stage == stage and (row.scope or "") == scope

    def _made(self, name: str, scope: str) -> Made:
        finished = [row for row in self._runs if self._is_of(row, name, scope) and row.status == FINISHED]
        last, stage = max(finished, key=lambda row: row.started_at), STAGES[name]
        recipe = Recipe.of(last)
        changes, partitions = self._compare(stage, recipe, last)
        seconds = last.run_seconds if last.run_seconds is not None else last.seconds
        return Made(stage, recipe, changes, partitions, seconds)

    def _compare(self, stage: Stage, recipe: Recipe, last: Row) -> tuple[list[str], list[str]]:
        """What changed, and the partitions in which."""
        gone = [name for name in stage.writes if self.ledger.last_writes(name) and not self.holds(name)]
        changes = [f"{name} is gone" for name in gone]
        partitions: list[str] = []
        if last.fingerprint is None:
            return [*changes, "its last run does not say what it rests on"], partitions
        settings = self._warehouse.settings
        today = fingerprint_of(self._warehouse.spark, settings, stage, recipe, self.ledger)
        then = dict(last.fingerprint)
        for name in sorted({*today, *then}):
            if today.get(name) == then.get(name):
                continue
            if not name.startswith(_TABLE):
                changes.append(f"{name} changed")
                continue
            table = name.removeprefix(_TABLE)
            changed = self.ledger.changed_since(table, last.snapshot_id)
            partitions += [f"{table}/{partition}" for partition in changed]
            changes.append(self._said(table, len(changed)))
        return changes, partitions

    def _said(self, table: str, n_changed: int) -> str:
        n_partitions = len(self.ledger.last_writes(table))
        if not self.holds(table):
            return f"{table} is gone"
        if n_partitions > 1:
            return f"{table} changed in {n_changed} of {n_partitions} partitions"
        return f"{table} changed"
