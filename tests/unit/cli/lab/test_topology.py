"""Networks of namespaces carry packets as drawn, show them to captures, and are gone afterwards."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from adc.cli.lab import namespace, topology
from tests.kit import netns

pytestmark = netns.required

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]


@pytest.fixture(scope="module")
def net():
    with netns.one_device() as built:
        yield built


def served(space, address):
    """A listening socket inside, and its address."""
    server = space.call(
        socket.create_server, (address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET
    )
    return server, server.getsockname()[:2]


@pytest.mark.parametrize("address", ["address", "address6"])
@pytest.mark.parametrize("member", ["m1", "m2"])
def test_client_reaches_members_through_the_device(net, address, member):
    server, (host, port) = served(net[member], getattr(net, address)(member))
    with server, net.client.connect(host, port) as client:
        accepted, peer = server.accept()
        accepted.close()
        assert peer[0] == getattr(net, address)("client") == client.getsockname()[0]


def test_reset_is_captured_at_both_ends(net):
    server, (host, port) = served(net["m1"], net.address("m1"))
    with netns.capture(net.client, "front") as near, netns.capture(net["m1"]) as far, server:
        client = net.client.connect(host, port)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        own = client.getsockname()
        client.close()
        sent = near.wait(lambda packet: packet.has("R"))
        received = far.wait(lambda packet: packet.has("R"))
        opened = far.wait(lambda packet: packet.flags == "S")
    assert (sent.outgoing, received.outgoing) == (True, False)
    assert (sent.source, sent.destination) == (received.source, received.destination) == (own, (host, port))
    assert opened.time <= received.time
    assert sent.seq == received.seq == opened.seq + 1


def test_absent_packet_is_reported_with_those_captured(net):
    with netns.capture(net.client) as near:
        with net.client.socket(kind=socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", (net.address("m1"), 9))
        near.wait(lambda packet: packet.protocol == "icmp")
        with pytest.raises(TimeoutError, match=r"no such packet within 0 s(.|\n)*udp(.|\n)*icmp .* 3/3"):
            near.wait(lambda packet: packet.has("R"), 0)


def test_packets_take_the_device_that_the_socket_names():
    with (
        netns.two_devices() as net,
        netns.capture(net["a"], "front") as a,
        netns.capture(net["b"], "front") as b,
    ):
        with net.client.socket(kind=socket.SOCK_DGRAM) as sender:
            for device in ("a", "b", "a"):
                net.through(sender, device)
                sender.sendto(device.encode(), (netns.SERVICE, 9))
        a.wait(lambda _: len(a.find(lambda packet: packet.data == b"a")) == 2)
        b.wait(lambda packet: packet.data == b"b")
        assert not a.find(lambda packet: packet.protocol == "udp" and packet.data == b"b")
        store, (host, port) = served(net["switch"], netns.STORE)
        with store, net["b"].connect(host, port):
            pass


def test_processes_end_with_the_network():
    with netns.one_device() as net:
        process = net["m1"].start(SLEEP)
        spaces = [space.name for space in net.namespaces.values()]
        assert set(spaces) <= set(namespace.names())
    assert process.poll() == -signal.SIGTERM
    assert not set(spaces) & set(namespace.names())


def test_network_of_a_test_that_fails_is_removed():
    with pytest.raises(ZeroDivisionError), netns.one_device() as net:
        raise ZeroDivisionError
    assert net.client.name not in namespace.names()


def test_network_of_a_dead_process_is_removed_by_the_next():
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    left = f"{topology.PREFIX}-{gone.pid}-1-client"
    subprocess.run(["ip", "netns", "add", left], check=True)
    inside = subprocess.Popen(["ip", "netns", "exec", left, *SLEEP])
    while not namespace.run(("ip", "netns", "pids", left)):
        assert inside.poll() is None
    with netns.one_device() as net:
        assert left not in namespace.names()
        assert inside.wait(10) == -signal.SIGKILL
        assert net.client.name.startswith(f"{topology.PREFIX}-{os.getpid()}-")


def test_failure_inside_is_raised_outside(net):
    with pytest.raises(ConnectionRefusedError):
        net.client.connect(net.address("m1"), 1)
    with pytest.raises(RuntimeError, match=r"ip -n .* failed: .*nowhere"):
        net.client.configure("addr add 10.0.0.1/24 dev nowhere")


def test_packets_that_the_kernel_has_captured_are_all_found_at_once(net):
    with netns.capture(net.client) as near, net.client.socket(kind=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"first", (net.address("m1"), 9))
        near.wait(lambda packet: packet.protocol == "udp")  # the neighbour is known now
        for number in range(200):
            sender.sendto(b"%d" % number, (net.address("m1"), 9))
            assert len(near.find(lambda packet: packet.protocol == "udp")) == number + 2
