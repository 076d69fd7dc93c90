"""The other nodes of the cluster: who lives, where to reach them, and what arrives from them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from math import inf
from typing import TYPE_CHECKING

from adc.codecs.clock import Clock
from adc.codecs.dial import Dialer
from adc.codecs.http1.batch import Batch
from adc.codecs.http1.link import HttpLink
from adc.config import Config
from adc.config.model.listeners import Listener
from adc.http.message import Request
from adc.persistence.ownership import Markers, Way, route
from adc.pools.balancers.registry import make_balancer
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.proxy.actions import Respond
from adc.proxy.passing import MARKER, PASSED, POOL, REFUSED, arrive
from adc.proxy.pipeline import Pipeline, Timeouts
from adc.state.interface import Store, Table

if TYPE_CHECKING:
    from random import Random

    from adc.runtime.listeners import HttpListener

CLUSTER = "(cluster)"
"""The name of the listener for other nodes."""

HEARTBEAT = 1.0
LIFE = 3.0
"""Seconds between two signs of life, and after which a node without one counts as gone."""

_LOOK = 0.5
_MOST_NODES = 1024
_IDLE = 10.0


def redirects(config: Config) -> bool:
    """Whether requests of unknown clients are passed to the node that they belong to."""
    return config.cluster is not None and config.cluster.on_unknown == "redirect"


class ClusterNode:
    """This node among the others: `adc.proxy.passing.Peers`, and what arrives from them."""

    def __init__(self, clock: Clock, rng: Random) -> None:
        self.name = ""
        self.markers: Markers | None = None
        self.pool = Pool(CLUSTER, (), make_balancer("round_robin", {}, rng))
        self.passed: dict[tuple[str, str], int] = {}
        self._clock = clock
        self._table: Table | None = None
        self._address = b""
        self._living: dict[str, Member] = {}
        self._looked_at = self._told_at = -inf

    def follow(self, config: Config, store: Store | None, key: bytes | None) -> None:
        """Take part in the cluster of `config`, or in none."""
        cluster = config.cluster
        if cluster is None or store is None or key is None or cluster.advertise is None:
            self.markers = self._table = None
            self._living = {}
            return
        self.name = config.node
        self.markers = Markers(key, cluster.name)
        self._table = store.table("cluster.nodes", _MOST_NODES)
        self._address = cluster.advertise.text.encode()
        self._told_at = -inf

    def tick(self, now: float) -> None:
        """Give a sign of life, and look for those of others; `now` is wall-clock."""
        table = self._table
        if table is None:
            return
        if now - self._told_at >= HEARTBEAT:
            self._told_at = now
            table.set(self.name.encode(), self._address, LIFE, now)
        if now - self._looked_at >= _LOOK:
            self._looked_at = now
            self._look(table, now)
        for member in self._living.values():
            member.link.reap(self._clock.now)

    def _look(self, table: Table, now: float) -> None:
        found: dict[str, Member] = {}
        for key, entry in table.scan(now, limit=_MOST_NODES).entries:
            name, address = key.decode("utf-8", "replace"), entry.value.decode("utf-8", "replace")
            known = self._living.get(name)
            if name != self.name:
                found[name] = (
                    known if known is not None and known.address == address else self._peer(name, address)
                )
        for name, member in self._living.items():
            if found.get(name) is not member:
                member.link.retire()
        self._living = found

    def _peer(self, name: str, address: str) -> Member:
        member = Member(CLUSTER, address, name=name)
        host, _, port = address.rpartition(":")
        loop = asyncio.get_running_loop()
        dialer = Dialer(loop, host.strip("[]"), int(port) if port.isdecimal() else 0)
        member.link = HttpLink(Batch(loop), self._clock, dialer, _IDLE)
        return member

    def owner(self, client: bytes, now: float) -> Member | None:
        if not self._living:
            return None
        found = route(client, None, self.name, self._living, "redirect", None)
        return self._living[found.node] if found.way is Way.PASS else None

    @property
    def living(self) -> int:
        """The number of other nodes that live."""
        return len(self._living)

    def counted(self, node: str, result: str) -> None:
        self.passed[node, result] = self.passed.get((node, result), 0) + 1

    def identify(self, request: Request, connection: object) -> None:
        """What arrives from another node is what it was there, if its marker is genuine."""
        value = request.headers.get(MARKER)
        if value is None or self.markers is None:
            return
        sender = self.markers.sender(value, self.name, self._clock.wall)
        if sender is not None:
            arrive(request, sender)

    def listen(self, listener: HttpListener, trusts: Callable[[str], bool]) -> None:
        """Make `listener` the one for other nodes: they have enforced the limits of the client's listener."""
        listener.settings.identify = self.identify
        listener.service.body_limit = 1 << 50
        listener.service.trusts = trusts


def listener_of(config: Config) -> list[Listener]:
    """The listener for other nodes, if requests are passed on. It tells members what any of the others would."""
    if not redirects(config):
        return []
    forwarded = any(listener.forwarded for listener in config.listeners)
    return [Listener.model_construct(name=CLUSTER, bind=(), forwarded=forwarded)]


def finder(pipelines: Mapping[str, Pipeline]) -> Callable[[Request], Pipeline]:
    """The search of the listener for other nodes; `pipelines` by pool."""
    refusal = Pipeline(CLUSTER, Respond(REFUSED, [], b""), timeouts=Timeouts())

    def find(request: Request) -> Pipeline:
        pool = request.headers.get(POOL) if PASSED in request.noted else None
        request.headers.remove(POOL)
        return refusal if pool is None else pipelines.get(pool.decode("latin-1"), refusal)

    return find
