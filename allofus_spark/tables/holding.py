"""The lease of one run, and the lease that this process holds over several runs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from allofus_spark.errors import WarehouseBusy
from allofus_spark.tables.claims import Claims, claims_of
from allofus_spark.tables.lease import Lease, acquire
from allofus_spark.tables.storage import storage_errors
from allofus_spark.tables.warehouse import Warehouse

# Leases of `hold_lease`, by the folder of their claims.
_outer: dict[str, Lease] = {}


@contextmanager
def hold_lease(warehouse: Warehouse, stage: str) -> Iterator[Lease]:
    """Hold the warehouse over several runs of this process, one after the other, as a nightly does.

    ``start_run`` uses the lease that is held so, and so does another ``hold_lease`` inside. Raises
    WarehouseBusy and StorageProblem as ``start_run`` does.
    """
    claims = claims_of(warehouse.spark, warehouse.root)
    if claims.folder in _outer:
        yield _outer[claims.folder]
        return
    warehouse.make_root()
    with _held(warehouse, claims, uuid.uuid4().hex, stage) as lease:
        _outer[claims.folder] = lease
        try:
            yield lease
        finally:
            del _outer[claims.folder]


@contextmanager
def lease_of_run(warehouse: Warehouse, stage: str, run_id: str) -> Iterator[Lease]:
    """The lease for one run: that of `hold_lease`, or one of its own."""
    claims = claims_of(warehouse.spark, warehouse.root)
    outer = _outer.get(claims.folder)
    if outer is None:
        with _held(warehouse, claims, run_id, stage) as lease:
            yield lease
        return
    if not outer.in_use.acquire(blocking=False):
        raise WarehouseBusy(
            f"{stage}: another run of this process works in the warehouse; wait until it ends."
        )
    try:
        outer.check()
        yield outer
    finally:
        outer.in_use.release()


@contextmanager
def _held(warehouse: Warehouse, claims: Claims, name: str, stage: str) -> Iterator[Lease]:
    with storage_errors(warehouse.root):
        lease = acquire(claims, name, stage, warehouse.settings.lease)
    lease.keep()
    try:
        yield lease
    finally:
        lease.release()
