"""Addresses of UDP listeners in a network of namespaces: several of an interface, IPv6, link-local with a scope."""

import asyncio
import contextlib
import socket

import pytest

from tests.kit import netns
from tests.kit.datagrams import Visitor, config, member, relaying

LARGEST6 = 65_527
"""Bytes of the largest datagram over IPv6 without a jumbo payload."""


@pytest.fixture(scope="module")
def network():
    with netns.one_device() as net:
        net.adc.configure(
            "addr add 10.71.1.101/24 dev front",
            "addr add fd71:1::101/64 dev front",
            "addr add fe80::a/64 dev front",
            "addr add fe80::b/64 dev front",
        )
        net.client.configure("addr add fe80::c/64 dev front")
        yield net


def served(network, folder, host, scenario):
    """Run `scenario(relay, member)` in the namespace of the device, which listens on `host`."""

    async def main():
        async with member(host="::1") as a, relaying(folder, config(a.address), host=host) as relay:
            await scenario(relay, a)

    network.adc.call(asyncio.run, main())


@contextlib.contextmanager
def client_of(network, host):
    """A client in another namespace, which may use any address of its own."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with network.client.socket(family, socket.SOCK_DGRAM) as sock:
        yield Visitor(None, sock=sock)


@netns.required
@pytest.mark.parametrize(
    ("host", "used"),
    [("0.0.0.0", ["10.71.1.1", "10.71.1.101"]), ("::", ["fd71:1::1", "fd71:1::101"])],
)
def test_replies_come_from_each_address_of_an_interface(network, tmp_path, host, used):
    async def scenario(relay, a):
        with client_of(network, host) as client:
            for own in (*used, *used):
                client.address = (own, relay.address[1])
                client.send(own.encode())
                data, sender = await client.receive()
                assert (data, sender[:2]) == (own.encode(), client.address)
        assert relay.sessions == len(used) == len(set(a.senders))

    served(network, tmp_path, host, scenario)


@netns.required
def test_link_local_clients_get_replies_from_the_link_local_address_that_they_used(network, tmp_path):
    scope = network.client.call(socket.if_nametoindex, "front")

    async def scenario(relay, a):
        with client_of(network, "::") as client:
            for own in ("fe80::a", "fe80::b", "fe80::a"):
                client.address = (own, relay.address[1], 0, scope)
                client.send(own.encode())
                assert await client.receive() == (own.encode(), client.address)
        assert relay.sessions == 2

    served(network, tmp_path, "::", scenario)


@netns.required
@pytest.mark.parametrize("host", ["::1", "::"])
def test_datagrams_over_ipv6_are_neither_merged_nor_truncated(network, tmp_path, host):
    sizes = [0, 1, 0, 1_472, 9_000, LARGEST6, 2]

    async def scenario(relay, a):
        client = relay.visitor(own="::1", family=socket.AF_INET6)
        for size in sizes:
            assert len(await client.ask(bytes(size))) == size
        assert [len(data) for data in a.received] == sizes

    served(network, tmp_path, host, scenario)


@netns.required
def test_listener_and_member_may_have_link_local_addresses(network, tmp_path):
    scope = network.client.call(socket.if_nametoindex, "front")

    async def main():
        async with member(host="::") as a:
            mapping = config(f"[fe80::b%front]:{a.port}")
            async with relaying(tmp_path, mapping, host="fe80::a%front") as relay:
                with client_of(network, "::") as client:
                    client.address = ("fe80::a", relay.address[1], 0, scope)
                    client.send(b"hello")
                    assert await client.receive() == (b"hello", client.address)
                    assert a.senders[0][0].startswith("fe80::")

    network.adc.call(asyncio.run, main())


@netns.required
def test_member_on_an_interface_that_is_gone_is_replaced(network, tmp_path):
    async def main():
        async with member(host="::1") as a:
            mapping = config(f"[fe80::b%gone]:{a.port}", a.address, pool={"balance": "first"})
            async with relaying(tmp_path, mapping, host="::1") as relay:
                client = relay.visitor(own="::1", family=socket.AF_INET6)
                assert await client.ask(b"hello") == b"hello"
                assert relay.member(0).connect_failures == 1

    network.adc.call(asyncio.run, main())
