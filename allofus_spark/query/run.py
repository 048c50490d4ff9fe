"""Answer a query from the newest snapshot."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from pyspark.sql import DataFrame

from allofus_spark.errors import ContractViolation
from allofus_spark.query.statement import check_statement
from allofus_spark.query.views import VIEWS
from allofus_spark.tables import PIPELINE_RUNS, SNAPSHOTS, Warehouse, contract, contracts

_LIVE = (PIPELINE_RUNS.name, SNAPSHOTS.name)


def run_query(warehouse: Warehouse, text: str) -> DataFrame:
    """The rows of one SELECT; every table is read at the version of the newest finished snapshot.

    Raises QueryRefused where the text is anything else, ContractViolation where a table is not there. The
    run tables, which record the snapshots, are read as they are.
    """
    statement = check_statement(text)
    snapshot = warehouse.snapshot()
    known = {table.name for table in contracts(warehouse.settings)} | set(VIEWS) | set(snapshot)
    for name in statement.tables:
        if name in statement.defined and name not in known:
            continue
        if name not in known:
            raise ContractViolation(_unknown(name, sorted(known)))
        _read(warehouse, name, snapshot).createOrReplaceTempView(name)
    return warehouse.spark.sql(statement.sql)


def _read(warehouse: Warehouse, name: str, snapshot: Mapping[str, int]) -> DataFrame:
    if name in VIEWS:
        return VIEWS[name](warehouse, snapshot)
    table = contract(name, warehouse.settings)
    if name in _LIVE and warehouse.exists(table):
        return warehouse.live(table)
    return warehouse.read(table, snapshot)


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else "."
    return f"there is no table {name}{hint} Tables: {', '.join(known)}"
