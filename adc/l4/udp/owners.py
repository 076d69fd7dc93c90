"""Which node of a cluster owns the session of a client: claimed in the shared table, looked up by the other nodes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from adc.http.client import Client, Flow
from adc.l4.udp.client_socket import ClientSocket
from adc.l4.udp.hub import FORWARD, REPLY, Hub, Node, digest_of
from adc.l4.udp.relay import Owners, UdpRelay
from adc.l4.udp.session import CLOSED, Home, Path, UdpSession
from adc.pools.member import Member
from adc.state.interface import Entry, Table

REJECT: Final = "reject"
ACCEPT: Final = "accept"
REDIRECT: Final = "redirect"

MOST_WAITING: Final = 4096
"""Clients whose datagrams wait for the table, which answers within `state.timeout`."""

MOST_EACH: Final = 16
"""Datagrams of one client that wait."""

WAITING_BYTES: Final = 16 << 20
"""Bytes of all datagrams of a listener and worker that wait."""

KNOWN_SECONDS: Final = 10.0
"""Seconds for which the owner of a client is remembered after its last datagram."""

MOST_KNOWN: Final = 200_000
RENEWED_AT_ONCE: Final = 200
"""Records written in one loop iteration: two milliseconds."""

SLACK: Final = 5.0
"""Seconds that a record outlives a session whose node has died."""


class Owner(NamedTuple):
    """A record of the shared table: the node that has the session, the worker, and the member."""

    node: str
    address: str
    slot: int
    member: str

    def pack(self) -> bytes:
        """Return the value of the table's entry."""
        return "\0".join((self.node, self.address, str(self.slot), self.member)).encode()


def read_owner(value: bytes) -> Owner | None:
    """Return the record packed in `value`; None if there is none."""
    parts = value.decode("utf-8", "replace").split("\0")
    if len(parts) != 4 or not parts[2].isdecimal() or int(parts[2]) > 255:
        return None
    return Owner(parts[0], parts[1], int(parts[2]), parts[3])


def key_of(listener: str, client: Any) -> bytes:
    """Return the key of a client's record: the same on all nodes, whichever address of theirs it used."""
    return blake2b(f"{listener}\0{client[0]}\0{client[1]}".encode(), digest_size=16).digest()


class Waiting(NamedTuple):
    """A datagram that waits for the table."""

    home: Home
    key: Any
    own: Any
    data: bytes


class ByNode(Path):
    """Replies go by another node to the client, which used the address `own` there."""

    def __init__(self, hub: Hub, node: Node, own: Any) -> None:
        self.node = node
        self.own = own
        self._hub = hub

    def leads_to(self, node: Node, own: Any) -> bool:
        """True if replies go by this worker of `node`, from the address `own`."""
        return self.node == node and self.own == own

    def reply(self, session: UdpSession, data: bytes) -> None:
        if not self._hub.send(self.node, REPLY, session.listener, session.client, self.own, data):
            raise OSError("the other node is not reachable")


class RemoteHome(Home):
    """The home of sessions whose datagrams have come by other nodes only."""

    def __init__(self) -> None:
        self.sessions: dict[Any, UdpSession] = {}

    def reply(self, session: UdpSession, data: bytes) -> None:
        raise BlockingIOError("no node has brought a datagram yet")

    def enter(self, key: Any, session: UdpSession) -> None:
        self.sessions[key] = session

    def leave(self, session: UdpSession) -> None:
        if self.sessions.get(session.client) is session:
            del self.sessions[session.client]


class SharedOwners(Owners):
    """The owners of the sessions of one listener; `is_dead` tells if a node is known to be away. `follow` first."""

    def __init__(self, relay: UdpRelay, hub: Hub, is_dead: Callable[[str], bool]) -> None:
        self.on_unknown = REJECT
        self.address = ""
        self.table: Table
        self.client_sockets: Callable[[], list[ClientSocket]] = list
        self.passed = 0
        self.taken_over = 0
        self._relay = relay
        self._hub = hub
        self._is_dead = is_dead
        self._remote_home = RemoteHome()
        self._owned: dict[Any, UdpSession] = {}
        self._known: dict[Any, tuple[Owner, float]] = {}
        self._waiting: dict[Any, list[Waiting]] = {}
        self._waiting_bytes = 0
        self._renewals: OrderedDict[UdpSession, float] = OrderedDict()

    def follow(self, table: Table, on_unknown: str, address: str) -> None:
        """Keep records in `table`, and treat sessions of others as `on_unknown` says; this node has `address`."""
        self.table, self.on_unknown, self.address = table, on_unknown, address

    def arrive(self, home: Home, key: Any, client: Any, own: Any, data: bytes, now: float) -> None:
        session = self._owned.get(client)
        if session is not None and session.home is self._remote_home and session.takes(now):
            self._bring_home(session, home, key, own)
            session.forward(data, now)
            return
        known = self._known.pop(client, None)
        if known is not None and now < known[1]:
            self._settle(known[0], [Waiting(home, key, own, data)], client, now)
            return
        waiting = self._waiting.get(client)
        count, most = (len(self._waiting), MOST_WAITING) if waiting is None else (len(waiting), MOST_EACH)
        if count >= most or self._waiting_bytes + len(data) > WAITING_BYTES:
            self._relay.dropped("lookup_full")
        elif waiting is not None:
            self._waiting_bytes += len(data)
            waiting.append(Waiting(home, key, own, data))
        elif reason := self._relay.refusal(client):
            self._relay.dropped(reason)
        elif self._relay.admitted(client, own):
            self._claim(client, Waiting(home, key, own, data), now)

    def _claim(self, client: Any, first: Waiting, now: float) -> None:
        """Ask the table for the owner of `client`, which is this node if the table has none."""
        flow = Flow(Client(client[0], "udp", address=client, own_address=first.own))
        member = self._relay.choose(flow, now, ())
        if member is None:
            self._relay.dropped("no_member")
            return
        self._waiting[client] = [first]
        self._waiting_bytes += len(first.data)
        value = self._record(member.address).pack()
        done = partial(self._claimed, client, value, member)
        self.table.claim(key_of(self._relay.name, client), value, self._ttl, time.time(), done)

    def _claimed(self, client: Any, value: bytes, member: Member, entry: Entry) -> None:
        waiting = self._waiting.pop(client, [])
        self._waiting_bytes -= sum([len(each.data) for each in waiting])
        now = time.monotonic()
        owner = None if entry.value == value else read_owner(entry.value)
        if owner is not None:
            self._settle(owner, waiting, client, now)
            return
        session = self._serve(waiting, client, member, now)
        if session is None:
            self._forget(client)
        elif session.picked is not member:
            self._write(session)

    def _settle(self, owner: Owner, waiting: list[Waiting], client: Any, now: float) -> None:
        """Forward, continue or drop datagrams of a session of `owner`, as `on_unknown` says."""
        if owner.node == self._hub.name or self._is_dead(owner.node) or self.on_unknown == ACCEPT:
            self._take_over(owner, waiting, client, now)
        elif self.on_unknown == REJECT:
            for _ in waiting:
                self._relay.dropped("unknown_session")
        else:
            if len(self._known) >= MOST_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[client] = (owner, now + KNOWN_SECONDS)
            node = Node(digest_of(owner.node), owner.address, owner.slot)
            for each in waiting:
                self.passed += self._hub.send(node, FORWARD, self._relay.name, client, each.own, each.data)

    def _take_over(self, owner: Owner, waiting: list[Waiting], client: Any, now: float) -> None:
        """Continue a session of another node, with the same member if it serves."""
        self.taken_over += owner.node != self._hub.name
        named = [each for each in self._relay.pool.members if each.address == owner.member and each.pinnable]
        session = self._serve(waiting, client, named[0] if named else None, now)
        if session is not None:
            self._write(session)

    def _serve(
        self, waiting: list[Waiting], client: Any, member: Member | None, now: float
    ) -> UdpSession | None:
        """Open a session with the first datagram, unless one that came by another node did; the others follow it."""
        session = self._owned.get(client)
        if not waiting or session is None or session.home is not self._remote_home or not session.takes(now):
            session = None
        else:
            self._bring_home(session, waiting[0].home, waiting[0].key, waiting[0].own)
        for each in waiting:
            if session is None or session.fd == CLOSED:
                session = self._relay.open(each.home, each.key, client, each.own, each.data, now, member)
            else:
                session.forward(each.data, now)
        return session

    def _bring_home(self, session: UdpSession, home: Home, key: Any, own: Any) -> None:
        """Move a session that another node's datagrams opened to the socket at which its client arrives now."""
        self._remote_home.leave(session)
        session.home = session.path = home
        session.own = own
        home.enter(key, session)

    def forwarded(self, sender: Node, client: Any, own: Any, data: bytes) -> None:
        """Handle a datagram that another node passed on: it is never passed again."""
        now = time.monotonic()
        self._relay.datagrams_in += 1
        session = self._owned.get(client)
        if session is None or not session.takes(now):
            session = self._relay.open(self._remote_home, client, client, own, data, now)
            if session is not None:
                self._write(session)
                session.path = ByNode(self._hub, sender, own)
            return
        path = session.path
        if not (isinstance(path, ByNode) and path.leads_to(sender, own)):
            session.path = ByNode(self._hub, sender, own)
        session.forward(data, now)

    def replied(self, client: Any, own: Any, data: bytes) -> None:
        """Send a reply that comes from the owner of a session to the client, which used `own` here."""
        for client_socket in self.client_sockets():
            if client_socket.answers_from(own):
                try:
                    client_socket.send(data, client, own)
                except BlockingIOError:
                    self._relay.dropped("client_busy")
                except OSError:
                    self._relay.dropped("client_unreachable")
                else:
                    self._relay.datagrams_out += 1
                return
        self._relay.dropped("no_socket")

    def opened(self, session: UdpSession) -> None:
        self._known.pop(session.client, None)
        self._owned[session.client] = session
        self._renewals[session] = time.monotonic() + self._ttl / 3

    def moved(self, session: UdpSession) -> None:
        if self._owned.get(session.client) is session:
            self._write(session)

    def closed(self, session: UdpSession) -> None:
        self._renewals.pop(session, None)
        if self._owned.get(session.client) is session:
            del self._owned[session.client]
            self._forget(session.client)

    def _forget(self, client: Any) -> None:
        """Remove the record of a client without a session, if it is this worker's."""
        key, wall = key_of(self._relay.name, client), time.time()
        entry = self.table.get(key, wall)
        owner = None if entry is None else read_owner(entry.value)
        if owner is not None and (owner.node, owner.slot) == (self._hub.name, self._hub.slot):
            self.table.delete(key, wall)

    def end_all(self, reason: str) -> None:
        """End the sessions that are left, those of clients whose datagrams came by other nodes among them."""
        now = time.monotonic()
        for session in list(self._owned.values()):
            self._relay.close(session, reason, now)

    def tick(self, now: float) -> bool:
        """Renew the records of sessions that go on, as many as one slice allows; True if more may be due."""
        for _ in range(RENEWED_AT_ONCE):
            session = next(iter(self._renewals), None)
            if session is None or self._renewals[session] > now:
                return False
            self._renewals[session] = now + self._ttl / 3
            self._renewals.move_to_end(session)
            self.moved(session)
        return True

    def _write(self, session: UdpSession) -> None:
        """Write that this node owns `session`."""
        if session.picked is not None:
            record = self._record(session.picked.address).pack()
            self.table.set(key_of(self._relay.name, session.client), record, self._ttl, time.time())

    def _record(self, member: str) -> Owner:
        return Owner(self._hub.name, self.address, self._hub.slot, member)

    @property
    def _ttl(self) -> float:
        timeouts = self._relay.timeouts
        return max(timeouts.new, timeouts.established) + SLACK
