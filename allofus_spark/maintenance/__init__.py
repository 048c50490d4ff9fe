"""Upkeep of the tables: many small files become few, what nobody needs goes, old tables gain new columns.

1. `plan.py` says which files are to be laid anew, and which can go;
2. `layout.py` lays them anew, without changing a row;
3. `maintain.py` is the run: files, checkpoints of the logs, removal;
4. `migrate.py` gives the tables of an earlier version the columns that their contracts have gained.
"""

from allofus_spark.maintenance.maintain import check_retention, maintain
from allofus_spark.maintenance.migrate import Migration, find_migrations, migrate
from allofus_spark.maintenance.plan import TablePlan, plan_maintenance

__all__ = [
    "Migration",
    "TablePlan",
    "check_retention",
    "find_migrations",
    "maintain",
    "migrate",
    "plan_maintenance",
]
