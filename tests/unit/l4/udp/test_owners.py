"""Owners of UDP sessions in the table that nodes share: their records, and the datagrams that wait for it."""

import socket
from types import SimpleNamespace

import pytest

from adc.l4.udp.hub import Node, digest_of
from adc.l4.udp.owners import MOST_EACH, RENEWED_AT_ONCE, WAITING_BYTES, SharedOwners, key_of, read_owner
from adc.l4.udp.session import Home, Relay, UdpSession
from adc.pools.member import Member
from adc.sessions.session import Timeouts
from adc.state.memory import MemoryTable

OWN = ("192.0.2.1", 53)
A, B = Member("dns", "10.0.0.1:53"), Member("dns", "10.0.0.2:53")
OTHER = Node(digest_of("adc-b"), "192.0.2.2:7946", 1)


class Entered(Home):
    """A home that sessions may enter."""

    def enter(self, key, session):
        """No-op: nobody looks."""


HOME = Entered()


def client(number):
    return ("198.51.100.1", 1024 + number)


class FakeRelay(Relay):
    """Opens sessions with the member `serving` unless `refused` says why not; their datagrams arrive at `members`."""

    def __init__(self):
        super().__init__("dns", Timeouts(30.0, 120.0, 30.0))
        self.refused = ""
        self.socket, self.members = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.serving = A
        self.sessions = {}

    def refusal(self, client):
        return self.refused

    def admitted(self, client, own):
        return True

    def choose(self, flow, now, exclude):
        return A

    def close(self, session, reason, now):
        del self.sessions[session.client]
        self.owners.closed(session)

    def not_sent(self, session, data, error, now):
        """No-op: nobody reads so many."""

    def open(self, home, key, client, own, data, now, named=None):
        if self.refused:
            return None
        session = self.sessions[client] = UdpSession(self, home, client, own)
        session.picked, session.fd = self.serving, self.socket.fileno()
        self.owners.opened(session)
        session.forward(data, now)
        return session


class SlowTable(MemoryTable):
    """Answers claims when it is told to."""

    def __init__(self):
        super().__init__("sessions", 1000)
        self.claims = []

    def claim(self, *arguments):
        self.claims.append(arguments)

    def answer(self):
        claims, self.claims = self.claims, []
        for arguments in claims:
            super().claim(*arguments)

    def owner(self, client):
        """Return the record of a client."""
        entry = self.get(key_of("dns", client), 0.0)
        return None if entry is None else read_owner(entry.value)


@pytest.fixture
def relay():
    relay = FakeRelay()
    with relay.socket, relay.members:
        yield relay


@pytest.fixture
def table():
    return SlowTable()


@pytest.fixture
def owners(relay, table):
    owners = relay.owners = SharedOwners(relay, SimpleNamespace(name="adc-a", slot=0), lambda node: False)
    owners.follow(table, "redirect", "192.0.2.1:7946")
    return owners


def arrive(owners, number, data=b"x"):
    owners.arrive(HOME, client(number), client(number), OWN, data, 0.0)


def test_datagrams_that_wait_for_the_table_open_one_session_in_order(owners, relay, table):
    for data in (b"1", b"2", b"3"):
        arrive(owners, 0, data)
    table.answer()
    assert [relay.members.recv(10) for _ in range(3)] == [b"1", b"2", b"3"]
    assert table.owner(client(0)).member == A.address


def test_waiting_datagrams_are_bounded_by_number_and_bytes(owners, relay, table):
    for _ in range(MOST_EACH + 2):
        arrive(owners, 0)
    assert relay.drops == {"lookup_full": 2}
    large = bytes(60_000)
    most = WAITING_BYTES // len(large)
    for number in range(1, most + 10):
        arrive(owners, number, large)
    assert relay.drops["lookup_full"] > 2
    assert len(table.claims) <= most + 1
    table.answer()
    arrive(owners, most + 10, large)
    assert len(table.claims) == 1


def test_client_that_gets_no_session_is_not_claimed(owners, relay, table):
    relay.refused = "limit_source"
    arrive(owners, 0)
    assert (table.claims, relay.drops) == ([], {"limit_source": 1})


def test_record_of_a_client_that_gets_no_session_after_all_is_removed(owners, relay, table):
    arrive(owners, 0)
    relay.refused = "limit_source"
    table.answer()
    assert table.owner(client(0)) is None


def test_record_names_the_member_that_a_datagram_chose(owners, relay, table):
    relay.serving = B
    arrive(owners, 0)
    table.answer()
    assert table.owner(client(0)).member == B.address


def test_record_follows_a_session_to_another_member(owners, relay, table):
    arrive(owners, 0)
    table.answer()
    session = relay.sessions[client(0)]
    session.picked = B
    owners.moved(session)
    assert table.owner(client(0)).member == B.address
    owners.closed(session)
    assert table.owner(client(0)) is None


def test_sessions_that_have_ended_are_not_kept_for_a_renewal(owners, relay, table):
    for number in range(3 * RENEWED_AT_ONCE):
        arrive(owners, number)
        table.answer()
        owners.closed(relay.sessions.pop(client(number)))
    assert not owners._renewals


def test_record_of_an_open_session_is_written_again(owners, relay, table):
    arrive(owners, 0)
    table.answer()
    table.delete(key_of("dns", client(0)), 0.0)
    owners.tick(0.0)
    assert table.owner(client(0)) is None
    owners.tick(float("inf"))
    assert table.owner(client(0)).member == A.address


def test_many_records_are_written_in_slices(owners, relay, table):
    for number in range(RENEWED_AT_ONCE + 1):
        arrive(owners, number)
        table.answer()
    far = 1e9
    assert [owners.tick(far) for _ in range(2)] == [True, False]


def test_datagram_of_another_node_before_the_table_answers_opens_the_only_session(owners, relay, table):
    arrive(owners, 0, b"by this node")
    owners.forwarded(OTHER, client(0), OWN, b"by another node")
    opened = relay.sessions[client(0)]
    table.answer()
    assert relay.sessions[client(0)] is opened
    assert opened.home is HOME
    assert opened.path is HOME
    assert [relay.members.recv(20) for _ in range(2)] == [b"by another node", b"by this node"]


def test_sessions_by_other_nodes_end_with_the_listener(owners, relay):
    for number in range(3):
        owners.forwarded(OTHER, client(number), OWN, b"x")
    assert len(relay.sessions) == 3
    owners.end_all("shutdown")
    assert not relay.sessions
