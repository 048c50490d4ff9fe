"""Which tables a query reads, by itself and through the views that it names."""

from __future__ import annotations

from allofus_spark.query.statement import check_statement
from allofus_spark.query.views import VIEW_SOURCES
from allofus_spark.tables import Table, Warehouse, contract, contracts
from allofus_spark.tables.frequency_tables import SUBSET_PREFIX


def tables_read(warehouse: Warehouse, text: str) -> list[Table]:
    """Contracts of the tables that the query reads, each once; names that are no table's are left out.

    A name that the query's own WITH defines counts as the table of that name, if there is one: it may stand
    for either. Raises QueryRefused where the text is no query.
    """
    known = {table.name for table in contracts(warehouse.settings)}
    names = [name for asked in check_statement(text).tables for name in VIEW_SOURCES.get(asked, (asked,))]
    return [
        contract(name, warehouse.settings)
        for name in dict.fromkeys(names)
        if name in known or name.startswith(SUBSET_PREFIX)
    ]
