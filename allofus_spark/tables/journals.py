"""Rows added to journals (who may see what, and every decision) while a run works in the warehouse.

No snapshot names a journal, so that no run undoes it; it is read as last committed. Journals have a lease
of their own, held for the seconds of a commit. It is needed: Delta keeps two drivers from taking one version
of a table on HDFS and on the stores of Google and Azure, but neither on S3 nor on a local disk, where one of
two entries could be lost without a word. Who can write below ``controlled/_journal_lease``, ``researchers``,
``access_events`` and ``access_audit`` can keep the journals; nothing else of the warehouse is written.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from allofus_spark.settings import LeaseSettings
from allofus_spark.tables.access_tables import JOURNALS
from allofus_spark.tables.claims import claims_at
from allofus_spark.tables.contract import Table, Zone
from allofus_spark.tables.lease import acquire
from allofus_spark.tables.storage import storage_errors
from allofus_spark.tables.warehouse import Warehouse
from allofus_spark.tables.writer import commit, prepare
from allofus_spark.tables.writes import RowsWrite

FOLDER = "_journal_lease"
# A run's lease is held for hours, a journal's for a second: look again after tenths of one.
_LONG_PAUSE_SECONDS, _HURRY = 1.0, 10
# Threads of one process take turns here, before they claim anything.
_turn = threading.Lock()


Append = Callable[[RowsWrite], None]


@contextmanager
def writing_journals(warehouse: Warehouse, writer: str) -> Iterator[Append]:
    """What commits rows to journals, during a block in which nobody else adds to them.

    So what the block reads of them holds until it is written. Where it raises, what it committed stays.
    ``writer`` says who writes, where another has to wait for it. Raises WarehouseBusy where another holds the
    journals for longer than ``access.audit_wait_seconds``, StorageProblem where they cannot be written.
    """

    def append(write: RowsWrite) -> None:
        assert write.table in JOURNALS
        assert not write.replace
        (prepared,) = prepare(warehouse, write)
        commit(warehouse, prepared, {"job": writer})

    with storage_errors(warehouse.root):
        warehouse.make_root()
        with _held(warehouse, writer):
            yield append


@contextmanager
def undisturbed(warehouse: Warehouse, table: Table, writer: str) -> Iterator[None]:
    """A block in which nobody adds to ``table``, if it is a journal: for what lays its files anew."""
    with _held(warehouse, writer) if table in JOURNALS else nullcontext():
        yield


@contextmanager
def _held(warehouse: Warehouse, writer: str) -> Iterator[None]:
    settings = LeaseSettings(
        expiry_seconds=warehouse.settings.lease.expiry_seconds,
        wait_seconds=warehouse.settings.access.audit_wait_seconds,
    )
    claims = claims_at(warehouse.spark, f"{warehouse.root}/{Zone.CONTROLLED.value}/{FOLDER}")
    with _turn:
        lease = acquire(claims, uuid.uuid4().hex, writer, settings, pause=_pause)
        lease.keep()
        try:
            yield
        finally:
            lease.release()


def _pause(seconds: float) -> None:
    """The pause of a lease: that before a look at who holds it is cut, that of a tie is not."""
    time.sleep(seconds if seconds < _LONG_PAUSE_SECONDS else seconds / _HURRY)
