"""Answer a query from the newest snapshot."""

from __future__ import annotations

from pyspark.sql import DataFrame

from allofus_spark.query.statement import check_statement
from allofus_spark.query.views import VIEWS
from allofus_spark.tables import PIPELINE_RUNS, SNAPSHOTS, Warehouse, contract

_LIVE = (PIPELINE_RUNS.name, SNAPSHOTS.name)


def run_query(warehouse: Warehouse, text: str) -> DataFrame:
    """The rows of one SELECT; every table is read at the version of the newest finished snapshot.

    Raises QueryRefused where the text is anything else, ContractViolation where a table is not there. The
    run tables, which record the snapshots, are read as they are.
    """
    statement = check_statement(text)
    snapshot = warehouse.snapshot()
    session = warehouse.spark
    for name in statement.tables:
        if name in VIEWS:
            frame = VIEWS[name](warehouse, snapshot)
        elif name in _LIVE and warehouse.exists(contract(name, warehouse.settings)):
            frame = warehouse.live(contract(name, warehouse.settings))
        else:
            frame = warehouse.read(contract(name, warehouse.settings), snapshot)
        frame.createOrReplaceTempView(name)
    return session.sql(statement.sql)
