"""Questions to the warehouse: one SELECT over named tables, and what the warehouse holds."""

from allofus_spark.query.run import run_query
from allofus_spark.query.statement import check_statement
from allofus_spark.query.status import TableStatus, warehouse_status

__all__ = ["TableStatus", "check_statement", "run_query", "warehouse_status"]
