"""Answer a query from the newest snapshot."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame

from allofus_spark.query.statement import check_statement, distinct_headers
from allofus_spark.query.views import VIEWS
from allofus_spark.tables import Warehouse, contract, contracts
from allofus_spark.tables.catalog import no_such_table
from allofus_spark.tables.live_tables import LIVE_TABLES


def run_query(warehouse: Warehouse, text: str) -> DataFrame:
    """The rows of one SELECT; every table is read at the version of the newest finished snapshot.

    Raises QueryRefused where the text is anything else, ContractViolation where a table is not there. Tables
    that no snapshot names, such as those that record the runs, are read as they are. Columns have distinct
    names: where two would have one, such as the fields ``eas.af`` and ``eur.af``, they are called as the
    query writes them.
    """
    statement = check_statement(text)
    snapshot = warehouse.snapshot()
    known = {table.name for table in contracts(warehouse.settings)} | set(VIEWS) | set(snapshot)
    for name in statement.tables:
        if name in statement.defined and name not in known:
            continue
        if name not in known:
            raise no_such_table(name, sorted(known))
        _read(warehouse, name, snapshot).createOrReplaceTempView(name)
    frame = warehouse.spark.sql(statement.sql)
    headers = distinct_headers(frame.columns, statement.written)
    return frame if headers == frame.columns else frame.toDF(*headers)


def _read(warehouse: Warehouse, name: str, snapshot: Mapping[str, int]) -> DataFrame:
    if name in VIEWS:
        return VIEWS[name](warehouse, snapshot)
    table = contract(name, warehouse.settings)
    if table in LIVE_TABLES and warehouse.exists(table):
        return warehouse.live(table)
    return warehouse.read(table, snapshot)
