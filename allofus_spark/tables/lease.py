"""One writer a warehouse: the lease, which a run holds by a claim file that it keeps fresh.

A run undoes what an unfinished one left in the tables; while another works, that would be its fresh commits.
No two may hold the lease, on a laptop's disk, on HDFS, or in an object store, where a file cannot be made on
the condition that it is not there. So a run writes a claim of its own, lists the folder, and holds the lease
where it sees no other; else it takes its claim back. Two cannot both hold: each writes before it lists, so
the one that lists last sees the claim of the other (where a list shows all that was written before it, which
these stores warrant). Two that meet step back and try again at random moments.

A claim is renewed each quarter of its time; who finds one that was not renewed in time, or whose process has
ended on this host, removes it and takes over. A run that was held up so long sees that its claim is gone, or
that another holds: it looks before each commit, and what it wrote does not count. What falls between that
look and the commit is found when a run finishes: a snapshot that it did not see, or commits of another among
its own (`alone`).
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from allofus_spark.errors import WarehouseBusy
from allofus_spark.settings import LeaseSettings
from allofus_spark.tables.claims import Claims
from allofus_spark.tables.holder import Holder, is_gone, this_process

_HOLDING, _WAITING = "holding", "waiting"  # of one length: one is written over the other
_BEATS = 4  # renewals in the time of a claim: three may fail
_TIE_SECONDS = 10.0  # two that ask at once step back and try again for so long
_TIE_PAUSE, _WAIT_PAUSE = (0.05, 0.5), (1.0, 5.0)  # seconds between two tries
_SAID_EVERY = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """Another's claim: its name, how long ago it was renewed, and what it says."""

    name: str
    age_seconds: float
    says: Holder

    @property
    def lasts_seconds(self) -> float:
        return float(self.says.get("expiry_seconds", LeaseSettings().expiry_seconds))

    @property
    def is_dead(self) -> bool:
        return self.age_seconds > self.lasts_seconds or is_gone(self.says)

    @property
    def is_held(self) -> bool:
        return self.says.get("state") == _HOLDING


class Lease:
    """A claim that holds the warehouse, renewed by a thread until it is released."""

    def __init__(self, claims: Claims, name: str, says: Holder) -> None:
        self._claims, self._name, self._says = claims, name, says
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
        self.in_use = threading.Lock()

    def keep(self) -> None:
        """Renew the claim from now on."""
        self._thread.start()

    def check(self) -> None:
        """Raise WarehouseBusy where another run has taken the warehouse since."""
        taker = self._taker()
        if taker is not None:
            by = f" by {_described(taker)}" if taker else ""
            raise WarehouseBusy(
                f"the warehouse was taken over{by}, as this run had not renewed its claim in time: what this "
                "run wrote does not count. Start it again; if its machine is often held up, raise "
                "lease.expiry_seconds."
            )

    def _taker(self) -> Holder | None:
        """What the run says that has taken over (nothing, where it has ended by now); None: nobody has."""
        others = self._claims.times()
        mine = others.pop(self._name, None)
        for name in others:
            says = _read(self._claims, name)
            if says.get("state") == _HOLDING:
                self._claims.remove(self._name)  # renewed just when it was removed
                return says
        return {} if mine is None else None

    def release(self) -> None:
        """Take the claim back."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        try:
            self._claims.remove(self._name)
        except Exception as error:
            _log.warning("warning: the claim %s could not be removed: %s", self.path, error)

    @property
    def path(self) -> str:
        return f"{self._claims.folder}/{self._name}.json"

    def _beat(self) -> None:
        text, pause = _text(self._says, _HOLDING), self._says["expiry_seconds"] / _BEATS
        while not self._ended.wait(pause):
            try:
                if not self._claims.renew(self._name, text) or self._taker() is not None:
                    _log.warning("warning: the claim %s was taken over: this run cannot finish", self.path)
                    return
            except Exception as error:
                _log.warning("warning: the claim %s could not be renewed: %s", self.path, error)


def acquire(
    claims: Claims,
    name: str,
    stage: str,
    settings: LeaseSettings,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Lease:
    """The lease, when it is free, by a claim called ``name``.

    Raises WarehouseBusy, saying who holds it and what to do.
    """
    says = {"run_id": name, "stage": stage, "expiry_seconds": settings.expiry_seconds, **this_process()}
    begun, said = time.monotonic(), -_SAID_EVERY
    while True:
        lease = Lease(claims, name, says)
        try:
            rival = _try(lease, claims, name, says)
        except BaseException:
            with suppress(Exception):
                claims.remove(name)
            raise
        if rival is None:
            return lease
        waited = time.monotonic() - begun
        if waited >= max(settings.wait_seconds, 0 if rival.is_held else _TIE_SECONDS):
            raise WarehouseBusy(_refusal(claims, rival))
        if rival.is_held and waited - said >= _SAID_EVERY:
            said = waited
            _log.info("%s: waiting for %s", stage, _described(rival.says))
        pause(random.uniform(*_WAIT_PAUSE if rival.is_held else _TIE_PAUSE))


def _try(lease: Lease, claims: Claims, name: str, says: Holder) -> Claim | None:
    """Claim the warehouse; the claim of another where that stands in the way."""
    claims.put(name, _text(says, _WAITING))
    others = _others(claims, name)
    living = [claim for claim in others if not claim.is_dead]
    if living:
        claims.remove(name)
        return max(living, key=lambda claim: claim.is_held)
    # Said before the dead go: one that was not dead must find, beside its loss, who holds.
    claims.renew(name, _text(says, _HOLDING))
    for claim in others:
        _log.warning("warning: taking over from %s, %s", _described(claim.says), _why_dead(claim))
        claims.remove(claim.name)
    lease.check()  # for the one that was held up in the middle of this
    return None


def _others(claims: Claims, name: str) -> list[Claim]:
    times = claims.times()
    if name not in times:
        raise WarehouseBusy("this run's claim on the warehouse was removed before it held. Start it again.")
    now = times.pop(name)
    return [Claim(other, now - at, _read(claims, other)) for other, at in times.items()]


def _text(says: Holder, state: str) -> str:
    return json.dumps({"state": state, **says})


def _read(claims: Claims, name: str) -> Holder:
    """What a claim says; empty where a run is just writing or removing it, or died while it did."""
    with suppress(ValueError):
        says = json.loads(claims.read(name) or "")
        if isinstance(says, dict):
            return says
    return {}


def _described(says: Holder) -> str:
    known = {key: says.get(key, "unknown") for key in ("stage", "run_id", "host", "pid", "started")}
    return "{stage}, run {run_id}, of process {pid} on host {host}, since {started}".format(**known)


def _why_dead(claim: Claim) -> str:
    if is_gone(claim.says):
        return "whose process is gone"
    return f"which has not renewed its claim for {claim.age_seconds:.0f} s"


def _refusal(claims: Claims, rival: Claim) -> str:
    return (
        f"another run works in this warehouse: {_described(rival.says)}. Wait until it ends, or let this "
        "one wait with --set lease.wait_seconds=3600. If it is dead, start again when its claim "
        f"{claims.folder}/{rival.name}.json, renewed {max(rival.age_seconds, 0):.0f} s ago, is "
        f"{rival.lasts_seconds:.0f} s old."
    )
