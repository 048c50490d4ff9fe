"""Tables that are read as last committed: no snapshot names them, and no run undoes what is in them."""

from allofus_spark.tables.access_tables import JOURNALS
from allofus_spark.tables.run_tables import RUN_TABLES

LIVE_TABLES = (*JOURNALS, *RUN_TABLES)
