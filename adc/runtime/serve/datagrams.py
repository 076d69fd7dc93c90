"""UDP sessions that the nodes of a cluster share: the table of their owners, and the channel to other nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from adc.config import Config
from adc.l4.udp.frames import digest_of
from adc.l4.udp.hub import Hub
from adc.l4.udp.owners import SharedOwners
from adc.l4.udp.relay import UdpRelay
from adc.runtime.serve.cluster import ClusterNode
from adc.state.interface import Store, Table

_TABLE = "sessions.udp"


class Datagrams:
    """This worker's part of the shared UDP sessions. `cluster` knows the other nodes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, worker_id: int, cluster: ClusterNode) -> None:
        self.hub = Hub(loop, worker_id)
        self._cluster = cluster
        self._table: Table | None = None
        self._on_unknown = ""
        self._address = ""
        self._known: Mapping[str, str] = {}
        self._advertised: dict[bytes, str] = {}

    def follow(self, config: Config, store: Store | None) -> None:
        """Follow a configuration, after the cluster and before the listeners."""
        self._table = None
        key = b"" if self._cluster.markers is None else self._cluster.markers.datagram_key
        self.hub.follow(key if config.passes_datagrams else b"", config.node, self._address_of)
        if store is None or not config.shares_sessions:
            return
        self._table = store.table(_TABLE, config.sessions.size)
        self._on_unknown = config.sessions.on_unknown
        cluster = config.cluster
        self._address = (
            cluster.advertise.text if cluster is not None and cluster.advertise is not None else ""
        )

    def share(self, relay: UdpRelay, before: SharedOwners | None) -> SharedOwners | None:
        """Return the owners of a listener's sessions, `before` if it still serves; None if sessions are not shared."""
        if self._table is None:
            self.hub.receivers.pop(relay.name, None)
            return None
        owners = before or SharedOwners(relay, self.hub, self._cluster.is_dead)
        owners.follow(self._table, self._on_unknown, self._address)
        self.hub.receivers[relay.name] = owners
        return owners

    def leave(self, name: str, owners: SharedOwners) -> None:
        """Deliver nothing to the listener `name` any more, which was removed and has no session left; a new listener of
        that name stays."""
        if self.hub.receivers.get(name) is owners:
            del self.hub.receivers[name]

    def look_up_nodes(self) -> None:
        """Look up the names of the other nodes before a datagram needs them."""
        self.hub.learn(self._cluster.addresses.values())

    def _address_of(self, digest: bytes) -> str:
        """Return the address that the node with that digest advertises, "" if it is unknown here."""
        known = self._cluster.addresses
        if known is not self._known:
            self._known = known
            self._advertised = {digest_of(name): address for name, address in known.items()}
        return self._advertised.get(digest, "")
