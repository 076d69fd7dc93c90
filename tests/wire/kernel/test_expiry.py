"""Both ends of a flow that the kernel forgets are told, although neither sends anything."""

import errno
import socket

import pytest

from adc.firewall.nftables import datapath
from tests.kit import netns
from tests.wire.kernel.conftest import FAMILIES, PORT
from tests.wire.kernel.test_datapath import ask
from tests.wire.kernel.test_flows import forget, is_reset, kill, listed
from tests.wire.kernel.test_rules import settled

pytestmark = netns.required

SOURCES = ("own", "client")


class Pair:
    """A flow through the node with both of its sockets in hand."""

    def __init__(self, net, node, source="own", **changes):
        self.net, self.node = net, node
        family = FAMILIES[node.v6]
        self.server = net["m1"].call(socket.create_server, (node.host("m1"), PORT + 1), family=family)
        self.server.settimeout(5)
        host = f"[{node.host('m1')}]" if node.v6 else node.host("m1")
        self.changes = {
            "listener": {"datapath": {"engine": "kernel", "source": source}},
            "pool": {"members": [f"{host}:{PORT + 1}"]},
            **changes,
        }
        node.serve(**self.changes)
        node.watch()

    def connect(self, role="client"):
        """Open a flow that has carried data both ways, in place of the one before."""
        self.near = self.net[role].connect(self.node.host(), PORT)
        self.far, self.seen = self.server.accept()
        for end in (self.near, self.far):
            end.settimeout(5)
        self.near.sendall(b"x")
        assert self.far.recv(10) == b"x"
        self.far.sendall(b"x")
        assert self.near.recv(10) == b"x"

    def close(self):
        self.near.close()
        self.far.close()

    def __enter__(self):
        self.connect()
        return self

    def __exit__(self, *_):
        self.close()
        self.server.close()


def is_told(end):
    """True once an end that sends nothing learns that its connection is gone; False if it does not in a second."""
    end.settimeout(1)
    try:
        end.recv(10)
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    raise AssertionError("the end got data or FIN")


@pytest.mark.parametrize("source", SOURCES)
def test_silent_ends_of_an_expired_flow_are_reset(net, either, source):
    sessions = {"timeouts": {"tcp": "1s"}}
    with (
        Pair(net, either, source, sessions=sessions) as flow,
        netns.capture(net.client) as near,
        netns.capture(net["m1"]) as far,
    ):
        assert settled(lambda: listed(net, either), []) == []
        assert is_told(flow.near)
        assert is_told(flow.far)
        near.wait(is_reset)
        far.wait(is_reset)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("unknown", ["reject", "accept"])
def test_silent_ends_of_a_killed_flow_are_reset(net, either, source, unknown):
    with Pair(net, either, source, sessions={"on_unknown": unknown}) as flow:
        assert kill(net, either, all=True) == 1
        assert is_told(flow.near)
        assert is_told(flow.far)
        assert listed(net, either, state="established") == []


def test_half_closed_flow_is_told_too(net, node):
    with Pair(net, node) as flow:
        flow.near.shutdown(socket.SHUT_WR)
        assert flow.far.recv(10) == b""
        assert kill(net, node, all=True) == 1
        assert is_told(flow.near)
        read_error = lambda: flow.far.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # noqa: E731
        assert settled(read_error, errno.EPIPE) == errno.EPIPE


def test_silent_ends_are_not_told_with_silent(net, node):
    with Pair(net, node, sessions={"on_expiry": "silent"}) as flow, netns.capture(net.client) as near:
        assert kill(net, node, all=True) == 1
        assert not is_told(flow.near)
        assert near.packets == []


def test_ended_flows_are_not_probed(net, node):
    with Pair(net, node) as flow, netns.capture(net["m1"]) as far:
        flow.near.close()
        assert flow.far.recv(10) == b""
        flow.far.close()
        ended = flow.seen[1]
        far.wait(lambda packet: packet.has("F") and packet.outgoing)
        flow.connect()
        far.wait(lambda packet: packet.outgoing and packet.data and packet.destination[1] == flow.seen[1])
        before = len(far.packets)
        forget(net)
        assert is_told(flow.near)
        assert is_told(flow.far)
        probed = {packet.source[1] for packet in far.packets[before:] if not packet.outgoing}
        assert probed == {flow.seen[1]} != {ended}


def test_flow_of_a_member_and_a_listener_that_are_gone_is_told(net, node):
    with Pair(net, node) as flow:
        node.serve(pool={"members": [f"{net.address('m2')}:{PORT}"]})
        assert len(listed(net, node)) == 1
        node.serve(listener={"bind": f"{net.address('adc')}:{PORT + 7}"})
        flow.near.sendall(b"still")
        assert flow.far.recv(10) == b"still"
        assert kill(net, node, all=True) == 1
        assert is_told(flow.near)
        assert is_told(flow.far)


def test_end_that_is_gone_without_notice_is_no_obstacle(net, node):
    with Pair(net, node) as flow:
        linger = b"\1\0\0\0\0\0\0\0"
        net.client.run(
            ("nft", "-f", "-"),
            "add table ip cut; add chain ip cut o { type filter hook output priority 0; policy drop; }",
        )
        flow.near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        flow.near.close()
        net.client.run(("nft", "delete", "table", "ip", "cut"))
        assert kill(net, node, all=True) == 1
        assert is_told(flow.far)


def test_program_on_the_node_is_told(net, node):
    with Pair(net, node) as flow:
        flow.close()
        flow.connect("adc")
        assert kill(net, node, state="established") == 1
        assert is_told(flow.near)
        assert is_told(flow.far)


def test_more_probes_than_are_remembered_open_no_entries(net, node, monkeypatch):
    monkeypatch.setattr(datapath, "MOST_PROBED", 1)
    with Pair(net, node) as flow:
        first = flow.near, flow.far
        flow.connect()
        assert kill(net, node, all=True) == 2
        for end in (*first, flow.near, flow.far):
            assert is_told(end)
        entries = net.adc.run(("conntrack", "-L", "-p", "tcp")).splitlines()
        assert [line for line in entries if f"src={node.host()} dst={net.address('client')}" in line] == []
        for end in first:
            end.close()


def test_other_flows_of_the_machine_are_left_alone(net, node):
    node.serve()
    node.watch()
    with net.client.connect(net.address("m1"), PORT) as flow:
        ask(flow)
        forget(net)
        assert ask(flow) == "m1"


def test_next_datagrams_after_a_session_is_gone(net, node):
    """A client opens a session again; a member's datagram reaches nobody, and it learns that."""
    with (
        net["m1"].socket(kind=socket.SOCK_DGRAM) as member,
        net.client.socket(kind=socket.SOCK_DGRAM) as client,
    ):
        member.bind((net.address("m1"), PORT + 2))
        for end in (member, client):
            end.settimeout(5)
        node.serve(listener={"protocol": "udp"}, pool={"members": [f"{net.address('m1')}:{PORT + 2}"]})
        client.connect((net.address("adc"), PORT))
        client.send(b"one")
        _, seen = member.recvfrom(10)
        forget(net)
        member.connect(seen)
        member.send(b"lost")
        with pytest.raises(ConnectionRefusedError):
            member.recv(10)
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(10)
        client.send(b"two")
        assert settled(lambda: len(listed(net, node)), 1) == 1
