"""Cache purges sent to the other nodes of the cluster, and purges received from them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from adc.cache.purge import Purge, Scope
from adc.config import Config
from adc.state.interface import MAX_VALUE_BYTES, Cancel, Change, Store, Table

TABLE = "cluster.purges"
KEPT = 4096
LIFE = 3600.0
"""Seconds for which a node that was away can catch up; what it stored is usually outdated by then."""

Apply = Callable[[str, Purge, bool], None]
"""Makes a purge in the store of that name; the last argument says whether only what is kept over a restart
has to be looked at.
"""


def shares_purges(config: Config) -> bool:
    """True if purges are exchanged with other nodes."""
    cluster = config.cluster
    return (
        cluster is not None
        and cluster.sync.purges
        and bool(config.caches)
        and config.state.backend == "redis"
    )


class ClusterPurges:
    """A purge is an entry of a shared table, under a unique name; each node watches that table."""

    def __init__(self, apply: Apply) -> None:
        self._apply = apply
        self._node = b""
        self._table: Table | None = None
        self._cancel: Cancel | None = None

    def follow(self, config: Config, store: Store | None, now: float) -> None:
        """Send and receive through `store`, or stop both; `now` is wall-clock.

        Purges that were sent while this node was away are applied at once.
        """
        table = store.table(TABLE, KEPT) if store is not None and shares_purges(config) else None
        self._node = config.node.encode()
        if table is self._table:
            return
        if self._cancel is not None:
            self._cancel()
        self._table, self._cancel = table, None
        if table is None or store is None:
            return
        self._cancel = table.watch(self._received)
        store.tick(now)  # what comes from now on is kept for the watcher
        for _, entry in table.scan(now, limit=KEPT).entries:
            self._make(entry.value, late=True)

    def publish(self, name: str, purge: Purge) -> None:
        """Have the other nodes purge their store called `name`, within the cluster's sync interval."""
        if self._table is not None:
            record = _record(self._node, name.encode(), purge)
            self._table.set(os.urandom(16), record, LIFE, time.time())

    def _received(self, change: Change) -> None:
        if change.kind == "set":
            self._make(change.value, late=False)

    def _make(self, record: bytes, late: bool) -> None:
        node, name, packed = record.split(b"\0", 2)
        if node != self._node:
            self._apply(name.decode(), Purge.from_bytes(packed), late)


def _record(node: bytes, name: bytes, purge: Purge) -> bytes:
    """Return node, store and purge. A target too long for an entry is sent as a shorter one that covers it."""
    record = b"\0".join((node, name, purge.to_bytes()))
    over = len(record) - MAX_VALUE_BYTES
    if over <= 0:
        return record
    if purge.scope is Scope.TAG:
        return b"\0".join((node, name, Purge(Scope.ALL, soft=purge.soft).to_bytes()))
    wider = Purge(Scope.PREFIX, purge.target[:-over], purge.soft)
    return b"\0".join((node, name, wider.to_bytes()))
