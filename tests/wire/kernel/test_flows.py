"""Flows that the kernel forwards: listed, killed, expired, and met by segments of flows that nobody knows."""

import socket

import pytest

from adc.control import conntrack
from adc.control.kernel_flows import KERNEL
from adc.runtime.operations import flows
from tests.kit import netns
from tests.kit.waiting import PATIENCE
from tests.wire.kernel.conftest import PORT
from tests.wire.kernel.test_datapath import ask
from tests.wire.kernel.test_rules import settled

pytestmark = netns.required


def listed(net, node, **wanted):
    page = node.run(node.table.reply(flows.LIST, flows.WantedFlows(**wanted)))
    return page.rows


def kill(net, node, **wanted):
    return node.run(node.table.reply(flows.KILL, flows.UnwantedFlows(**wanted))).killed


def forget(net):
    """Delete every entry, as a restart or an expiry does."""
    net.adc.run(("conntrack", "-F"))


def is_reset(packet):
    return packet.has("R") and not packet.outgoing


def test_flow_is_listed_with_both_ends_and_its_time(net, node):
    node.serve(sessions={"timeouts": {"tcp": "77s"}})
    with net.client.connect(net.address("adc"), PORT) as flow:
        member = ask(flow)
        host, port = flow.getsockname()
        (row,) = listed(net, node, client=f"{host}:{port}")
        assert (row.kind, row.protocol, row.listener, row.pool) == ("flow", "tcp", "db", "p")
        assert (row.member, row.own, row.state) == (member, f"{net.address('adc')}:{PORT}", "established")
        assert row.id.startswith(f"{KERNEL}-")
        assert 70 < row.left <= 77


def test_flows_of_others_are_not_listed(net, node):
    node.serve()
    with net.client.connect(net.address("m1"), PORT) as past_the_listener:
        past_the_listener.sendall(b"x")
        past_the_listener.recv(10)
        assert listed(net, node) == []


def test_listing_has_pages(net, node):
    node.serve()
    connections = [net.client.connect(net.address("adc"), PORT) for _ in range(5)]
    first = node.run(node.table.reply(flows.LIST, flows.WantedFlows(limit=3)))
    cursor = f"{KERNEL}:{first.cursor}"
    rest = node.run(node.table.reply(flows.LIST, flows.WantedFlows(limit=3, cursor=cursor)))
    assert len({row.id for row in first.rows + rest.rows}) == 5
    assert rest.cursor is None
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("source", ["own", "client"])
def test_killed_flow_is_reset_at_both_ends_by_their_next_segment(net, node, source):
    with net["m1"].call(socket.create_server, (net.address("m1"), PORT + 1)) as server:
        pool = {"members": [f"{net.address('m1')}:{PORT + 1}"]}
        node.serve(listener={"datapath": {"engine": "kernel", "source": source}}, pool=pool)
        server.settimeout(PATIENCE)
        with net.client.connect(net.address("adc"), PORT) as near, server.accept()[0] as far:
            far.settimeout(PATIENCE)
            near.sendall(b"x")
            assert far.recv(10) == b"x"
            assert kill(net, node, all=True) == 1
            for end in (near, far):
                end.sendall(b"y")
                with pytest.raises(ConnectionResetError):
                    end.recv(10)


def test_unknown_segment_is_reset_with_reject(net, node):
    node.serve(sessions={"on_unknown": "reject"})
    with net.client.connect(net.address("adc"), PORT) as flow, netns.capture(net.client) as near:
        ask(flow)
        forget(net)
        flow.sendall(b"y")
        with pytest.raises(ConnectionResetError):
            flow.recv(10)
        near.wait(is_reset)


def test_unknown_segment_is_dropped_with_reject_and_silent(net, node):
    node.serve(sessions={"on_unknown": "reject", "on_expiry": "silent"})
    with net.client.connect(net.address("adc"), PORT) as flow, netns.capture(net.client) as near:
        ask(flow)
        forget(net)
        flow.settimeout(0.5)
        flow.sendall(b"y")
        with pytest.raises(TimeoutError):
            flow.recv(10)
        assert not near.find(is_reset)


def test_unknown_segment_is_picked_up_with_accept(net, node):
    pool = {"balance": {"consistent_hash": {"key": "source"}}}
    node.serve(pool=pool, sessions={"on_unknown": "accept"})
    with net.client.connect(net.address("adc"), PORT) as flow:
        member = ask(flow)
        forget(net)
        assert ask(flow) == member


def test_entry_expires_by_the_time_of_the_configuration(net, node):
    node.serve(sessions={"timeouts": {"tcp": "1s"}})
    with net.client.connect(net.address("adc"), PORT) as flow:
        ask(flow)
        assert settled(lambda: listed(net, node), []) == []
        flow.sendall(b"y")
        with pytest.raises(ConnectionResetError):
            flow.recv(10)


def test_datagrams_have_the_times_of_udp(net, node):
    node.serve(listener={"protocol": "udp"}, sessions={"timeouts": {"udp": "44s", "udp_stream": "55s"}})
    with net.client.socket(kind=socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE)
        client.connect((net.address("adc"), PORT))
        client.send(b"x")
        client.recv(10)
        (row,) = listed(net, node)
        assert (row.protocol, row.state) == ("udp", "established")
        client.send(b"x")
        client.recv(10)
        left = [entry.left for entry in net.adc.call(lambda: list(conntrack.entries([PORT])))]
        assert max(left) <= 55
