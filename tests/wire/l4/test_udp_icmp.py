"""ICMP errors about datagrams of a UDP listener: from members, from routers on the way to them, and from clients.

Each test sends the errors itself, in a network namespace, so that no route of the machine learns from them.
"""

import asyncio
import socket
import struct

import pytest

from tests.kit import netns
from tests.kit.datagrams import config, member, relaying
from tests.kit.waiting import eventually, settled

LOOPBACK = {4: "127.0.0.1", 6: "::1"}
PORT_UNREACHABLE = {4: (3, 3), 6: (1, 4)}
PROHIBITED = {4: (3, 13), 6: (1, 1)}
HOST_UNREACHABLE = {4: (3, 1), 6: (1, 3)}
TOO_BIG = {4: (3, 4), 6: (2, 0)}
MTU = 1280

both = pytest.mark.parametrize("version", [4, 6])


@pytest.fixture(scope="module")
def network():
    with netns.one_device() as net:
        yield net


def checksum(data):
    """Return the Internet checksum (RFC 1071) of an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def report(error, version, sender, receiver):
    """Send the sender of a datagram an ICMP error about it (RFC 792, RFC 4443)."""
    kind, code = error[version]
    ports = struct.pack("!HHHH", sender[1], receiver[1], 8, 0)
    if version == 4:
        addresses = socket.inet_aton(sender[0]) + socket.inet_aton(receiver[0])
        inner = struct.pack("!BBHHHBBH", 0x45, 0, 28, 1, 0, 64, socket.IPPROTO_UDP, 0) + addresses + ports
        head = struct.pack("!BBHHH", kind, code, 0, 0, MTU)
        head = struct.pack("!BBHHH", kind, code, checksum(head + inner), 0, MTU)
        family, protocol = socket.AF_INET, socket.IPPROTO_ICMP
    else:
        addresses = b"".join(socket.inet_pton(socket.AF_INET6, each[0]) for each in (sender, receiver))
        inner = struct.pack("!IHBB", 6 << 28, 8, socket.IPPROTO_UDP, 64) + addresses + ports
        head = struct.pack("!BBHI", kind, code, 0, MTU if kind == 2 else 0)
        family, protocol = socket.AF_INET6, socket.IPPROTO_ICMPV6  # the kernel adds the checksum
    with socket.socket(family, socket.SOCK_RAW, protocol) as raw:
        raw.sendto(head + inner, (sender[0], 0))


def inside(network, version, scenario, **options):
    """Run `scenario(relay, visitor, members)` in the namespace of the device, with two members that echo."""

    async def main(folder):
        host = LOOPBACK[version]
        answer = options.get("answer", lambda data: [data])
        async with member(answer, host=host) as a, member(answer, host=host) as b:
            mapping = config(a.address, b.address, pool={"balance": "first"})
            async with relaying(folder, mapping, host=host) as relay:
                await scenario(relay, visitor_of(relay, version), (a, b))

    network.adc.call(asyncio.run, main(options["folder"]))


def visitor_of(relay, version):
    return relay.visitor(own=LOOPBACK[version], family=socket.AF_INET if version == 4 else socket.AF_INET6)


@netns.required
@both
@pytest.mark.parametrize("error", [PORT_UNREACHABLE, PROHIBITED], ids=["port", "prohibited"])
def test_first_datagram_goes_to_another_member_when_the_first_cannot_be_reached(
    network, tmp_path, version, error
):
    async def scenario(relay, visitor, members):
        a, b = members
        visitor.send(b"?")
        await eventually(lambda: a.received)
        report(error, version, a.senders[0], a.sock.getsockname())
        await eventually(lambda: b.received == [b"?"])
        assert relay.sessions == 1

    inside(network, version, scenario, folder=tmp_path, answer=lambda data: [])


@netns.required
@both
def test_datagrams_that_nobody_gets_are_counted(network, tmp_path, version):
    async def scenario(relay, visitor, members):
        a, b = members
        for data in (b"1", b"2", b"3"):
            visitor.send(data)
        await eventually(lambda: len(a.received) == 3)
        report(PORT_UNREACHABLE, version, a.senders[0], a.sock.getsockname())
        await eventually(lambda: b.received == [b"1"])
        assert relay.dropped("member_failed") == 2
        b.send(b"reply")
        assert (await visitor.receive())[0] == b"reply"
        report(PORT_UNREACHABLE, version, b.senders[0], b.sock.getsockname())
        await eventually(lambda: relay.sessions == 0)
        assert relay.dropped("member_failed") == 3

    inside(network, version, scenario, folder=tmp_path, answer=lambda data: [])


@netns.required
@both
@pytest.mark.parametrize("error", [HOST_UNREACHABLE, TOO_BIG], ids=["host", "too_big"])
def test_session_survives_an_error_that_may_pass(network, tmp_path, version, error):
    async def scenario(relay, visitor, members):
        a, b = members
        assert await visitor.ask(b"1") == b"1"
        for number in range(3):
            report(error, version, a.senders[0], a.sock.getsockname())
            await settled()
            report(error, version, a.senders[0], a.sock.getsockname())
            assert await visitor.ask(b"%d" % number) == b"%d" % number  # whether it is read or written first
        assert len(set(a.senders)) == relay.sessions == 1
        assert not b.received

    inside(network, version, scenario, folder=tmp_path)


@netns.required
@both
def test_listener_serves_on_after_errors_from_clients(network, tmp_path, version):
    async def scenario(relay, visitor, members):
        a, _ = members
        gone = visitor_of(relay, version)
        await gone.ask(b"1")
        own = gone.sock.getsockname()
        gone.sock.close()
        a.send(b"late")  # the kernel of the client reports that nothing listens there
        for error in (PORT_UNREACHABLE, HOST_UNREACHABLE, TOO_BIG):
            report(error, version, relay.address, own)
        await settled()
        assert await visitor.ask(b"2") == b"2"
        assert relay.sessions == 2

    inside(network, version, scenario, folder=tmp_path)
