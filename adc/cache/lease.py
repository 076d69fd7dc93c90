"""Request collapsing across the workers of a machine: one fetch for simultaneous misses of one key.

A worker's leader acquires the key's lease before it fetches. If another worker has it, the leader waits: it reads
`changes` on every tick (mapped memory) and tries again when that counter moves or the lease expires. A lease ends when
it is released, when it expires, or with its process. Times are seconds of the monotonic clock, which all processes of
a machine share.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

import lmdb

from adc.cache.environment import Environment

_RECORD = struct.Struct(">BQQd")
_SWEPT = 8
"""Outdated leases that each acquisition may clear away."""

MOST_LEASES = 32_768
"""Most leases kept, including leases of responses that cannot be shared; above it, workers fetch without one."""


class LeaseState(IntEnum):
    """The state of a key."""

    HELD = 1
    PASS = 2
    """Its last response could not be shared: do not wait for each other."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to fetch `key` for all workers. `number` distinguishes it from later leases of the same key."""

    key: bytes
    number: int


@dataclass(frozen=True, slots=True)
class Busy:
    """Another worker fetches; its lease ends at `until` at the latest."""

    until: float


class LeaseTable:
    """Leases in the shared environment. Methods may raise lmdb.Error: fetch then without a lease."""

    def __init__(self, environment: Environment, owner: int | None = None) -> None:
        self._env = environment.lmdb
        self._counters = environment.counters
        self._slot = environment.releases
        self._db = self._env.open_db(b"leases")
        self._owner = os.getpid() if owner is None else owner
        self._count = 0

    def changes(self) -> int:
        """Return a number that changes whenever any lease is released."""
        return int(self._counters[self._slot])

    def acquire(self, key: bytes, now: float, seconds: float) -> Lease | Busy | None:
        """Acquire the lease for `seconds`, or return its owner; None if requests of this key need no lease."""
        name = sha256(key).digest()
        with self._env.begin(write=True, db=self._db) as txn:
            value = txn.get(name)
            if value is not None:
                state, owner, _, until = _RECORD.unpack(value)
                if now < until and state == LeaseState.PASS:
                    return None
                if now < until and _alive(owner):
                    return Busy(until)
            self._sweep(txn, name, now)
            if value is None and txn.stat(self._db)["entries"] >= MOST_LEASES:
                return None
            self._count += 1
            txn.put(name, _RECORD.pack(LeaseState.HELD, self._owner, self._count, now + seconds))
        return Lease(key, self._count)

    def renew(self, lease: Lease, now: float, seconds: float) -> bool:
        """Hold on for `seconds` from now. False if the lease was lost."""
        name = sha256(lease.key).digest()
        with self._env.begin(write=True, db=self._db) as txn:
            if not self._holds(txn.get(name), lease):
                return False
            txn.put(name, _RECORD.pack(LeaseState.HELD, self._owner, lease.number, now + seconds))
        return True

    def release(self, lease: Lease, pass_until: float | None = None) -> None:
        """Release the lease; with `pass_until`, no request waits for this key before that time."""
        name = sha256(lease.key).digest()
        with self._env.begin(write=True, db=self._db) as txn:
            if self._holds(txn.get(name), lease):
                if pass_until is None:
                    txn.delete(name)
                else:
                    txn.put(name, _RECORD.pack(LeaseState.PASS, self._owner, lease.number, pass_until))
            # Under the writer lock, so that two releases are two steps.
            self._counters[self._slot] += 1

    def _holds(self, value: bytes | None, lease: Lease) -> bool:
        if value is None:
            return False
        state, owner, number, _ = _RECORD.unpack(value)
        return bool(state == LeaseState.HELD and owner == self._owner and number == lease.number)

    def _sweep(self, txn: lmdb.Transaction, name: bytes, now: float) -> None:
        """Clear a few outdated records behind `name`, so that the table keeps to the leases in use."""
        with txn.cursor() as cursor:
            here = cursor.set_range(name) and cursor.next()
            for _ in range(_SWEPT):
                if not here:
                    return
                if _RECORD.unpack(cursor.value())[3] > now:
                    here = cursor.next()
                else:
                    cursor.delete()
                    here = bool(cursor.key())


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
