"""How a run begins and ends.

``with start_run(warehouse, "ingest_genotypes") as run`` takes the warehouse's lease, starts from the newest
snapshot (what an unfinished run left behind is undone), reads live tables through ``run.read`` and writes
through ``run.write``. When the block ends well, ``pipeline_runs`` gets one row a write and ``snapshots`` one
consistent set of versions; when it fails, one row says why and readers keep the snapshot before.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from allofus_spark.errors import StorageProblem
from allofus_spark.tables.commits import check_table
from allofus_spark.tables.holding import lease_of_run
from allofus_spark.tables.leftovers import sweep_staging
from allofus_spark.tables.recipes import BY_HAND, Recipe
from allofus_spark.tables.run_tables import PIPELINE_RUNS, SNAPSHOTS
from allofus_spark.tables.runs import Run
from allofus_spark.tables.storage import storage_errors
from allofus_spark.tables.warehouse import Warehouse

_log = logging.getLogger(__name__)


@contextmanager
def start_run(warehouse: Warehouse, stage: str, recipe: Recipe = BY_HAND) -> Iterator[Run]:
    """A run that is recorded as finished when the block ends, as failed when it raises.

    ``recipe`` says how it can be repeated.
    Raises WarehouseBusy where another run works in the warehouse, StorageProblem where it is full or cannot
    be written. Jobs that write no table need none: see `SnapshotReader`.
    """
    with storage_errors(warehouse.root):
        warehouse.make_root()
        for table in (PIPELINE_RUNS, SNAPSHOTS):
            check_table(warehouse.spark, warehouse.path(table), table)
        run = Run(warehouse, stage, recipe)
        with lease_of_run(warehouse, stage, run.run_id) as run.lease, _recorded(run):
            yield run


@contextmanager
def _recorded(run: Run) -> Iterator[None]:
    """Begin the run and finish it, or record why it failed."""
    try:
        with storage_errors(run.warehouse.root):
            sweep_staging(run.warehouse)
            run.begin()
            yield
            run.finish()
    except BaseException as error:
        try:
            with storage_errors(run.warehouse.root):
                run.fail(error)
        except StorageProblem as problem:
            _log.warning("%s: the failed run could not be recorded: %s", run.stage, problem)
        except Exception:
            _log.exception("%s: the failed run could not be recorded", run.stage)
        raise
    finally:
        run.remove_staged()


@contextmanager
def record_run(warehouse: Warehouse, stage: str) -> Iterator[Run]:
    """A run that is made of others, for who holds the lease: it reads and writes nothing, and is recorded.

    Its row says finished, or failed where the block raises or gives it a ``problem``.
    """
    run = Run(warehouse, stage)
    with storage_errors(warehouse.root):
        try:
            yield run
        except BaseException as error:
            run.fail(error)
            raise
        run.record()
