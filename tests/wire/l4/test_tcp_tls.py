"""TCP connections with TLS at the listener, at the members, at both; and TLS that passes through by its ClientHello."""

import asyncio
import contextlib
import functools
import ssl

import pytest

from adc.net.names import Names
from tests.kit.proxy import serving
from tests.kit.streams import Flood, connected, echo, mapping, member, server_context
from tests.kit.waiting import eventually, within

LARGE = bytes(range(256)) * 8192


async def echoes(reader, writer, data=LARGE):
    writer.write(data)
    return await within(reader.readexactly(len(data))) == data


async def test_listener_terminates_tls(tmp_path, authority, pair):
    listener = {"tls": {"certificates": [pair]}}
    async with member() as address, serving(tmp_path, mapping(address, listener=listener)) as proxy:
        async with connected(proxy, authority.context()) as (reader, writer):
            assert await echoes(reader, writer)
            (session,) = proxy.worker.sessions.table.scan(0, 9)
            assert (session.bytes_in, session.bytes_out) == (len(LARGE), len(LARGE))
        await eventually(lambda: not proxy.connections)


async def test_members_are_spoken_to_under_tls(tmp_path, authority, pair):
    pool = {"tls": {"ca": authority.file, "sni": "a.test"}}
    async with member(ssl=server_context(pair)) as address:
        async with serving(tmp_path, mapping(address, pool=pool)) as proxy:
            async with connected(proxy) as (reader, writer):
                assert await echoes(reader, writer)
            await eventually(lambda: not proxy.connections)


async def test_tls_at_both_ends_and_a_proxy_protocol_header(tmp_path, authority, pair):
    listener = {"tls": {"certificates": [pair]}}
    pool = {"proxy_protocol": "v1"}
    async with member() as address:
        async with serving(tmp_path, mapping(address, listener=listener, pool=pool)) as proxy:
            async with connected(proxy, authority.context()) as (reader, writer):
                host, port = writer.get_extra_info("sockname")
                writer.write(b"hello")
                header = f"PROXY TCP4 {host} 127.0.0.1 {port} {proxy.port}\r\n".encode()
                assert await within(reader.readexactly(len(header) + 5)) == header + b"hello"


async def test_member_that_is_not_verified_gets_no_byte(tmp_path, authority, pair):
    seen = []

    async def note(reader, writer):
        seen.append(await reader.read(1))

    pool = {"tls": {"ca": authority.file, "sni": "other.test"}}
    async with member(note, ssl=server_context(pair)) as address:
        async with serving(tmp_path, mapping(address, pool=pool)) as proxy:
            async with connected(proxy) as (reader, _):
                with contextlib.suppress(ConnectionResetError):
                    assert await within(reader.read(1)) == b""
            assert proxy.worker.runtime.pools["app"].members[0].connect_failures == 1
    assert seen == []


async def test_member_that_refuses_is_replaced_before_a_byte_is_sent(
    tmp_path, authority, pair, unused_tcp_port
):
    listener = {"tls": {"certificates": [pair]}}
    pool = {"balance": "first"}
    async with member() as address:
        found = mapping(f"127.0.0.1:{unused_tcp_port}", address, listener=listener, pool=pool)
        async with (
            serving(tmp_path, found) as proxy,
            connected(proxy, authority.context()) as (reader, writer),
        ):
            assert await echoes(reader, writer, b"hello")


async def test_slow_client_of_a_bridge_stops_the_member(tmp_path, authority, pair):
    flood = Flood()
    listener = {"tls": {"certificates": [pair]}}
    async with member(flood) as address, serving(tmp_path, mapping(address, listener=listener)) as proxy:
        async with connected(proxy, authority.context()) as (reader, writer):
            first = await within(
                reader.readexactly(1)
            )  # a client that is paused in its handshake gets no member
            writer.transport.pause_reading()
            await flood.stopped()
            writer.transport.resume_reading()
            assert first + await within(reader.readexactly(4 * len(LARGE) - 1)) == 4 * LARGE


async def test_member_that_closes_ends_the_client_after_its_last_byte(tmp_path, authority, pair):
    async def greet(reader, writer):
        writer.write(LARGE)
        await writer.drain()

    listener = {"tls": {"certificates": [pair]}}
    async with member(greet) as address, serving(tmp_path, mapping(address, listener=listener)) as proxy:
        async with connected(proxy, authority.context()) as (reader, _):
            assert await within(reader.read()) == LARGE
        await eventually(lambda: not proxy.connections)
        assert len(proxy.worker.sessions.table) == 0


async def test_killed_bridge_ends_at_both_ends(tmp_path, authority, pair):
    ended = asyncio.Queue()

    async def wait(reader, writer):
        writer.write(b"x")
        try:
            ended.put_nowait(await reader.read())
        except OSError as error:
            ended.put_nowait(error)

    listener = {"tls": {"certificates": [pair]}}
    async with member(wait) as address, serving(tmp_path, mapping(address, listener=listener)) as proxy:
        async with connected(proxy, authority.context()) as (reader, _):
            assert await within(reader.readexactly(1)) == b"x"
            (session,) = proxy.worker.sessions.table.scan(0, 9)
            session.end("killed")
            with pytest.raises(ConnectionResetError):
                await within(reader.read(1))
            assert isinstance(await within(ended.get()), ConnectionResetError)
        assert len(proxy.worker.sessions.table) == 0


async def test_client_that_leaves_while_its_member_is_dialed_ends_the_attempt(tmp_path, authority, pair):
    pool = {"tls": {"ca": authority.file, "sni": "a.test"}}
    listener = {"tcp": {"connect_timeout": "5m"}}

    async def silent(reader, writer):
        await reader.read()

    found = functools.partial(mapping, listener=listener, pool=pool)
    async with member(silent) as address, serving(tmp_path, found(address)) as proxy:
        async with connected(proxy):
            await eventually(lambda: proxy.connections)
        await eventually(lambda: not proxy.connections)
        assert proxy.worker.runtime.pools["app"].members[0].active == 0


@pytest.mark.parametrize(
    ("name", "expected"), [("a.test", b"A"), ("x.b.test", b"B"), ("y.x.b.test", b"B"), ("c.test", b"D")]
)
async def test_tls_passes_through_to_the_pool_of_its_server_name(tmp_path, authority, name, expected):
    certificate = server_context(authority.issue("a.test", "*.b.test", "y.x.b.test", "c.test"))

    def named(letter):
        async def serve(reader, writer):
            writer.write(letter)
            await echo(reader, writer)

        return serve

    async with contextlib.AsyncExitStack() as stack:
        pools = {
            pool: {"members": [await stack.enter_async_context(member(named(letter), ssl=certificate))]}
            for pool, letter in (("a", b"A"), ("b", b"B"), ("rest", b"D"))
        }
        listener = {"pool": "rest", "sni": {"a.test": "a", "*.b.test": "b"}}
        found = mapping(listener=listener) | {"pools": pools}
        proxy = await stack.enter_async_context(serving(tmp_path, found))
        async with connected(proxy, authority.context(), name) as (reader, writer):
            assert await within(reader.readexactly(1)) == expected
            assert await echoes(reader, writer)


async def test_server_name_without_a_pool_gets_an_alert(tmp_path, authority):
    listener = {"pool": None, "sni": {"a.test": "app"}}
    found = mapping("127.0.0.1:9", listener=listener)
    del found["listeners"][0]["pool"]
    async with serving(tmp_path, found) as proxy:
        client = connected(proxy, authority.context(), "other.test")
        with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
            await client.__aenter__()
        proxy.worker.logs.error_log.flush()
        assert "unrecognized_name" in proxy.error_log()


async def test_name_of_a_member_is_not_looked_up_for_each_connection(tmp_path, authority, pair, monkeypatch):
    looked_up = []
    addresses = Names.addresses

    def counted(names, host):
        looked_up.append(host)
        return addresses(names, host)

    monkeypatch.setattr(Names, "addresses", counted)
    pool = {"tls": {"ca": authority.file, "sni": "a.test"}}
    async with member(ssl=server_context(pair)) as address:
        there = address.replace("127.0.0.1", "localhost")
        async with serving(tmp_path, mapping(there, pool=pool)) as proxy:
            targets = proxy.listener._targets
            await eventually(lambda: not targets.find(there).unknown)
            before = len(looked_up)
            for _ in range(3):
                async with connected(proxy) as (reader, writer):
                    assert await echoes(reader, writer, b"x")
            assert len(looked_up) == before
