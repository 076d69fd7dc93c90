"""The other nodes of the cluster: their liveness, the owner of a client, and requests that they pass here.

Nodes find each other by signed records in the shared table (or by `cluster.peers`), and probe
each other directly, so that they agree on it while the shared table is away. A node that does not prove the secret is
neither counted nor sent anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING

from adc.config import Config
from adc.http.message import Request
from adc.net.batch import Batch
from adc.net.clock import Clock
from adc.persistence.marks import MARKER_LIFE, Markers, Record
from adc.persistence.ownership import Way, route
from adc.pools.balancers.registry import make_balancer
from adc.pools.errors import Failure
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.proxy.states import AWAITING
from adc.proxy.upstream.passed import MARKER, REFUSAL, arrive, signed_parts
from adc.proxy.upstream.passing import PassedAttempt
from adc.runtime.assembly.cluster import CLUSTER, HELLO, PROOF, redirects
from adc.runtime.serve.peer import LIFE, ClusterPeer
from adc.state.interface import Store, Table
from adc.telemetry.log_line import Report

if TYPE_CHECKING:
    from random import Random


HEARTBEAT = 1.0
"""Seconds between two records of one node."""

_LOOK = 0.5
_FORGET = 3600.0
"""Seconds after which a node that neither wrote a record nor proved that it lives is forgotten."""

_MOST_NODES = 1024
_TABLE = "cluster.records"


class ClusterNode:
    """This node among the others: `adc.proxy.upstream.passing.Peers`, and what arrives from them. `report` is called
    with an event and its fields when another node begins or ceases to live.

    `addresses` are those that other nodes advertise, by name, whether they live or not; it is another mapping whenever
    one changes.
    """

    def __init__(self, clock: Clock, rng: Random, report: Report) -> None:
        self.name = ""
        self.markers: Markers | None = None
        self.pool = Pool(CLUSTER, (), make_balancer("round_robin", {}, rng))
        self.passed: dict[tuple[str, str], int] = {}
        self._clock = clock
        self._report = report
        self._batch: Batch | None = None
        self._store: Store | None = None
        self._table: Table | None = None
        self._address = ""
        self.redirects = False
        self._fixed: frozenset[str] = frozenset()
        self._peers: dict[str, ClusterPeer] = {}
        self._living: dict[str, Member] = {}
        self.addresses: Mapping[str, str] = {}
        self._waiting: list[PassedAttempt] = []
        self._looked_at = self._wrote_at = -inf
        self._joined_at = inf

    def follow(self, config: Config, store: Store | None, key: bytes | None, batch: Batch) -> None:
        """Take part in the cluster of `config`, or in none."""
        cluster = config.cluster
        self._batch = batch
        self._store = None if cluster is None else store
        if cluster is None or store is None or key is None or cluster.advertise is None:
            self.markers = self._table = None
            self._joined_at = inf
            self.close()
            return
        self._joined_at = min(self._joined_at, self._clock.now)
        self.name = config.node
        self.markers = Markers(key, cluster.name)
        self._address = cluster.advertise.text
        self.redirects = redirects(config)
        self._fixed = frozenset(address.text for address in cluster.peers) - {self._address}
        self._table = store.table(_TABLE, _MOST_NODES)
        self._looked_at = self._wrote_at = -inf
        for address in self._fixed:
            self._peer(address)
        for peer in self._peers.values():
            peer.introduce(self.markers, self._record)

    def close(self) -> None:
        """Close all connections to other nodes."""
        for peer in self._peers.values():
            peer.retire()
        self._peers = {}
        self._living = {}
        self.addresses = {}

    def tick(self, wall: float) -> None:
        """Write a record, look for those of others, probe; `wall` is wall-clock."""
        table, markers = self._table, self.markers
        if table is None or markers is None:
            return
        if wall - self._wrote_at >= HEARTBEAT:
            self._wrote_at = wall
            self._write(table, markers, self._record())
        if wall - self._looked_at >= _LOOK:
            self._looked_at = wall
            self._look(table, markers, wall)
        for peer in self._peers.values():
            if self.redirects:
                peer.tick(self._clock.now)
            else:  # no listener that could be probed: signs of life are all there is
                peer.judge()
        self._count_living()
        self._learn_addresses()
        self._give_up()

    def _record(self) -> Record:
        return Record(self.name, self._address, int(self._clock.wall))

    def _write(self, table: Table, markers: Markers, record: Record) -> None:
        """Write `record` down unless another worker did a moment ago."""
        key = record.name.encode()
        known = table.get(key, record.at)
        found = None if known is None else markers.read_record(known.value)
        if found is None or found.address != record.address or record.at - found.at >= HEARTBEAT:
            table.set(key, markers.record(record), _FORGET, record.at)

    def _look(self, table: Table, markers: Markers, wall: float) -> None:
        for key, entry in table.scan(wall, limit=_MOST_NODES).entries:
            record = markers.read_record(entry.value)
            if record is not None and record.name.encode() == key:
                self._know(record)
        for address, peer in list(self._peers.items()):
            if not peer.alive and address not in self._fixed and wall - peer.recorded > _FORGET:
                self._peers.pop(address).retire()

    def _know(self, record: Record) -> None:
        if record.name == self.name or record.address == self._address:
            return
        peer = self._peer(record.address)
        if peer.is_news(record) and self._clock.wall - record.at < _FORGET:
            peer.learn(record)

    def _peer(self, address: str) -> ClusterPeer:
        peer = self._peers.get(address)
        if peer is None and self._batch is not None and self.markers is not None:
            peer = self._peers[address] = ClusterPeer(self._batch, self._clock, address)
            peer.introduce(self.markers, self._record)
        assert peer is not None
        return peer

    def _count_living(self) -> None:
        living = {}
        for peer in self._peers.values():
            member = peer.member
            if peer.alive and member is not None and member.name != self.name:
                living[member.name] = member
        for name in living.keys() - self._living.keys():
            self._report("cluster_node_up", node=name, address=living[name].address)
        for name in self._living.keys() - living.keys():
            address = self._living[name].address
            gone = self._peers.get(address)
            reason = "forgotten" if gone is None else gone.reason
            self._report("cluster_node_down", node=name, address=address, reason=reason)
        self._living = living

    def _learn_addresses(self) -> None:
        """Note the address of each node: of several, that of the one that lives or else wrote last."""
        peers = sorted(self._peers.values(), key=lambda peer: (peer.alive, peer.recorded))
        found = {peer.member.name: peer.address for peer in peers if peer.member is not None}
        found.pop(self.name, None)
        if found != self.addresses:
            self.addresses = found

    def owner(self, client: bytes, now: float) -> Member | None:
        if not self._living or not self.redirects:
            return None
        found = route(client, None, self.name, self._living, "redirect", None)
        return self._living[found.node] if found.way is Way.PASS else None

    @property
    def apart(self) -> bool:
        return self._store is not None and self._store.status().degraded

    @property
    def living(self) -> int:
        """The number of other nodes that live."""
        return len(self._living)

    def is_dead(self, name: str) -> bool:
        """True if the node called `name` is known to be away: it has had time to show that it lives."""
        return name not in self._living and self._clock.now - self._joined_at > LIFE + HEARTBEAT

    def lives(self, node: Member) -> bool:
        return self._living.get(node.name) is node

    def silent(self, node: Member) -> None:
        peer = self._peers.get(node.address)
        if peer is not None:
            peer.silent("a connection for a request could not be opened and proved in time")
        self._count_living()

    def sent(self, attempt: PassedAttempt) -> None:
        self._waiting.append(attempt)

    def _give_up(self) -> None:
        """Fail attempts whose node fell silent: at once if that costs nothing, else after LIFE seconds."""
        waiting, self._waiting = self._waiting, []
        for attempt in waiting:
            upstream = attempt.upstream
            if attempt.over or upstream.state != AWAITING:
                continue
            peer = self._peers.get(attempt.member.address)
            silence = inf if peer is None else peer.silence(self._clock.now)
            if silence > LIFE or (
                silence > 0.0 and attempt.passing.may_repeat(upstream, Failure.RESPONSE_TIMEOUT)
            ):
                attempt.gone()
            else:
                self._waiting.append(attempt)

    def counted(self, node: str, result: str) -> None:
        self.passed[node, result] = self.passed.get((node, result), 0) + 1

    def identify(self, request: Request) -> None:
        """Make what arrives from another node what it was there, if its marker is genuine; note what it is replied
        if it is a hello, or is not served."""
        headers, markers = request.headers, self.markers
        if markers is None:
            return
        hello, marker = headers.get(HELLO), headers.get(MARKER)
        if hello is not None:
            self._greet(request, markers, hello)
        elif marker is not None:
            parts = signed_parts(request.method, request.target, headers)
            found = markers.sender(marker, self.name, parts)
            if found is not None:
                sender, at = found
                request.proxy_fields[REFUSAL] = markers.refusal(marker)
                if abs(self._clock.wall - at) <= MARKER_LIFE:
                    arrive(request, sender)

    def _greet(self, request: Request, markers: Markers, hello: bytes) -> None:
        found = markers.read_hello(hello, self._address)
        if found is None:
            return
        sender, nonce = found
        request.proxy_fields[PROOF] = markers.proof(self._record(), nonce)
        self._know(sender)
        if self._table is not None and sender.name != self.name:
            self._write(self._table, markers, sender)
