"""Ranges of ports, members at the port that the client used, and unix sockets that are listened on."""

import asyncio
import contextlib
import socket

from adc.runtime.operations import flows
from tests.kit.authority import Authority, tls_client
from tests.kit.proxy import serving
from tests.kit.streams import LARGE, connected, echo, mapping, member, named
from tests.kit.waiting import eventually, within

MEMBER_HOST = "127.0.0.2"
BEHIND_PROXY = {"tcp": {"member_port": "listener"}, "proxy_protocol": {"from": ["127.0.0.0/8"]}}


def member_at(port):
    """An echo at `port` of another address than the listener's."""
    return member(echo, host=MEMBER_HOST, port=port)


async def test_member_is_connected_to_at_the_port_of_the_listener(tmp_path):
    listener = {"tcp": {"member_port": "listener"}}
    async with serving(tmp_path, mapping(f"{MEMBER_HOST}:9", listener=listener)) as proxy:
        async with member_at(proxy.port), connected(proxy) as (reader, writer):
            writer.write(b"hello")
            assert await within(reader.readexactly(5)) == b"hello"


async def test_port_of_a_proxy_protocol_header_chooses_no_member_port(tmp_path, unused_tcp_port):
    async with serving(tmp_path, mapping(f"{MEMBER_HOST}:9", listener=BEHIND_PROXY)) as proxy:
        async with member_at(proxy.port), connected(proxy) as (reader, writer):
            writer.write(f"PROXY TCP4 192.0.2.7 198.51.100.1 4711 {unused_tcp_port}\r\nhello".encode())
            assert await within(reader.readexactly(5)) == b"hello"
            (flow,) = proxy.connections
            assert flow.own == ("198.51.100.1", unused_tcp_port)


@contextlib.asynccontextmanager
async def by_unix_socket(path, **options):
    reader, writer = await within(asyncio.open_unix_connection(path, **options))
    try:
        yield reader, writer
    finally:
        writer.close()


async def test_unix_socket_is_listened_on(tmp_path):
    path = str(tmp_path / "adc.sock")
    async with member(echo) as address, serving(tmp_path / "logs", mapping(address), path=path) as proxy:
        async with by_unix_socket(path) as (reader, writer):
            for _ in range(3):
                writer.write(LARGE)
                assert await within(reader.readexactly(len(LARGE))) == LARGE
            (row,) = (await proxy.worker.call(flows.LIST, flows.WantedFlows())).rows
            assert (row.bytes_in, row.bytes_out, row.own) == (3 * len(LARGE), 3 * len(LARGE), path)
            writer.write_eof()
            assert await within(reader.read()) == b""
        await eventually(lambda: not proxy.connections)


async def test_client_of_a_unix_socket_has_no_address_for_members(tmp_path):
    path = str(tmp_path / "adc.sock")
    found = mapping(pool={"proxy_protocol": "v1"})
    async with member(echo) as address:
        found["pools"]["app"]["members"] = [address]
        async with serving(tmp_path / "logs", found, path=path), by_unix_socket(path) as (reader, writer):
            writer.write(b"hello")
            assert await within(reader.readexactly(20)) == b"PROXY UNKNOWN\r\nhello"


async def test_tls_is_terminated_on_a_unix_socket(tmp_path):
    path, authority = str(tmp_path / "adc.sock"), Authority(tmp_path / "ca")
    listener = {"tls": {"certificates": [authority.issue("a.test")], "alpn": ["postgresql"]}}
    context = authority.context()
    context.set_alpn_protocols(["postgresql"])
    async with member(echo) as address:
        async with (
            serving(tmp_path / "logs", mapping(address, listener=listener), path=path),
            by_unix_socket(path, ssl=context, server_hostname="a.test") as (reader, writer),
        ):
            writer.write(b"hello")
            assert await within(reader.readexactly(5)) == b"hello"
            assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "postgresql"


async def test_range_of_ports_is_served_by_members_at_the_same_ports(service):
    first = free_range(3)
    service.write(
        "listeners: [{name: media, bind: '@range', protocol: tcp, pool: media, tcp: {member_port: listener}}]\n"
        "pools: {media: ['127.0.0.2:9']}\nworkers: 1\nadmin: '@admin'\n",
        range=f"{first}-{first + 2}",
    )
    async with contextlib.AsyncExitStack() as stack:
        for port in range(first, first + 3):
            await stack.enter_async_context(member(named(b"%d" % port), host=MEMBER_HOST, port=port))
        await service.started()
        for port in range(first, first + 3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await within(reader.readexactly(5)) == b"%d" % port
            writer.close()


def free_range(count):
    """Return the first of `count` ports in a row that are free at both addresses."""
    for first in range(20_000, 30_000, count):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + count):
                for host in ("127.0.0.1", MEMBER_HOST):
                    stack.enter_context(socket.create_server((host, port)))
            return first
    raise AssertionError("no free ports")


async def test_port_of_a_header_before_tls_chooses_no_member_port(tmp_path, unused_tcp_port):
    authority = Authority(tmp_path / "ca")
    listener = {**BEHIND_PROXY, "tls": {"certificates": [authority.issue("a.test")]}}
    header = f"PROXY TCP4 192.0.2.7 198.51.100.1 4711 {unused_tcp_port}\r\n".encode()
    async with serving(tmp_path, mapping(f"{MEMBER_HOST}:9", listener=listener)) as proxy:
        async with member_at(proxy.port):
            client = await tls_client(proxy.port, authority.context(), before=header)
            await client.send(b"hello")
            assert await client.exactly(5) == b"hello"
            client.close()
