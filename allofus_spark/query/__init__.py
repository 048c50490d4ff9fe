"""Questions to the warehouse: one SELECT over named tables, what is known of a variant, what there is."""

from allofus_spark.query.find import VariantList, find_variant
from allofus_spark.query.run import run_query
from allofus_spark.query.sources import tables_read
from allofus_spark.query.statement import check_statement
from allofus_spark.query.status import TableStatus, warehouse_status
from allofus_spark.query.variant import VariantReport

__all__ = [
    "TableStatus",
    "VariantList",
    "VariantReport",
    "check_statement",
    "find_variant",
    "run_query",
    "tables_read",
    "warehouse_status",
]
