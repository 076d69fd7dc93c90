"""ALPN of listeners and pools that do not speak HTTP: nothing is offered unless `alpn` names it."""

import asyncio
import contextlib
import ssl
from random import Random

import pytest
import yaml

from adc.config.loading import load
from adc.control.health import HealthChecks
from tests.kit.client import get
from tests.kit.proxy import serving
from tests.kit.streams import connected, mapping, member, server_context
from tests.kit.waiting import eventually, within

OFFERED = ["http/1.1", "postgresql"]


def client_context(authority, *offered):
    context = authority.context()
    if offered:
        context.set_alpn_protocols(list(offered))
    return context


def listening(pair, *alpn, **more):
    return {"tls": {"certificates": [pair], **({"alpn": list(alpn)} if alpn else {})}, **more}


@contextlib.asynccontextmanager
async def terminating(tmp_path, pair, *alpn, **more):
    listener = listening(pair, *alpn, **more)
    async with member() as address, serving(tmp_path, mapping(address, listener=listener)) as proxy:
        yield proxy


@contextlib.asynccontextmanager
async def agreeing_member(pair, answer=b"!"):
    """A member under TLS that supports OFFERED, and what it agreed on with each connection."""
    agreed = asyncio.Queue()

    async def serve(reader, writer):
        agreed.put_nowait(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await reader.readuntil(b"\n")
        writer.write(answer)
        await reader.read()

    context = server_context(pair)
    context.set_alpn_protocols(OFFERED)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # done before a check that only shakes hands hangs up
    async with member(serve, ssl=context) as address:
        yield address, agreed


@pytest.mark.parametrize(
    ("alpn", "offered", "agreed"),
    [
        ((), OFFERED, None),
        (("postgresql",), OFFERED, "postgresql"),
        (("mqtt", "postgresql"), ["postgresql", "mqtt"], "mqtt"),
        (("postgresql",), (), None),
    ],
)
async def test_tcp_listener_agrees_on_what_it_names(tmp_path, authority, pair, alpn, offered, agreed):
    context = client_context(authority, *offered)
    async with terminating(tmp_path, pair, *alpn) as proxy, connected(proxy, context) as (_, writer):
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == agreed


@pytest.mark.parametrize("alpn", [(), ("postgresql",)])
async def test_smtp_listener_agrees_on_what_it_names(tmp_path, authority, pair, alpn):
    smtp = {"protocol": "smtp", "smtp": {"starttls": "off", "routes": [{"pool": "app"}]}}
    found = mapping("127.0.0.1:9", listener=listening(pair, *alpn, **smtp))
    del found["listeners"][0]["pool"]
    context = client_context(authority, *OFFERED)
    async with serving(tmp_path, found) as proxy, connected(proxy, context) as (_, writer):
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == (alpn[0] if alpn else None)


async def test_client_without_a_common_protocol_gets_an_alert(tmp_path, authority, pair):
    async with terminating(tmp_path, pair, "postgresql") as proxy:
        with pytest.raises(ssl.SSLError, match="alert no application protocol"):
            async with connected(proxy, client_context(authority, "h2", "http/1.1")):
                pass
        await eventually(lambda: proxy.listener.open_connections == 0)
        proxy.worker.logs.error_log.flush()
        assert 'reason=tls_handshake detail="no common protocol (ALPN): h2, http/1.1"' in proxy.error_log()


async def test_hello_in_two_segments_is_agreed_on(tmp_path, authority, pair):
    async with terminating(tmp_path, pair, "postgresql") as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = client_context(authority, "postgresql").wrap_bio(incoming, outgoing, server_hostname="a.test")
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        hello = outgoing.read()
        writer.write(hello[:7])
        await eventually(lambda: proxy.listener.open_connections == 1)
        writer.write(hello[7:])
        while tls.version() is None or tls.selected_alpn_protocol() is None:
            incoming.write(await within(reader.read(1 << 14)))
            with contextlib.suppress(ssl.SSLWantReadError):
                tls.do_handshake()
        assert tls.selected_alpn_protocol() == "postgresql"
        writer.transport.abort()


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"])
async def test_client_that_sends_no_hello_is_closed(tmp_path, pair, start):
    async with terminating(tmp_path, pair, "postgresql", timeouts={"tls_handshake": "1s"}) as proxy:
        async with connected(proxy) as (reader, writer):
            writer.write(start)
            writer.write_eof()
            with contextlib.suppress(ConnectionResetError):
                await within(reader.read())
        await eventually(lambda: proxy.listener.open_connections == 0)


@pytest.mark.parametrize(("alpn", "agreed"), [((), None), (("mqtt", "postgresql"), "postgresql")])
async def test_members_are_offered_what_the_pool_names(tmp_path, authority, pair, alpn, agreed):
    pool = {"tls": {"ca": authority.file, **({"alpn": list(alpn)} if alpn else {})}}
    async with (
        agreeing_member(pair) as (address, seen),
        serving(tmp_path, mapping(address, pool=pool)) as proxy,
        connected(proxy),
    ):
        assert await within(seen.get()) == agreed


async def test_pool_of_both_is_offered_http_by_requests_only(tmp_path, authority, pair):
    response = b"HTTP/1.1 204 No Content\r\n\r\n"
    async with agreeing_member(pair, response) as (address, seen):
        found = mapping(address, pool={"tls": {"ca": authority.file, "alpn": "postgresql"}})
        found["listeners"].append({"name": "db", "bind": "127.0.0.1:0", "protocol": "tcp", "pool": "app"})
        found["listeners"][0] = {"name": "web", "bind": "127.0.0.1:0"}
        found["routes"] = [{"pool": "app"}]
        async with serving(tmp_path, found) as proxy:
            async with proxy.client() as client:
                assert (await client.ask(get())).status == 204
            assert await within(seen.get()) == "http/1.1"
        async with serving(tmp_path, found, listener="db") as proxy, connected(proxy):
            assert await within(seen.get()) == "postgresql"


@pytest.mark.parametrize(
    ("check", "alpn", "agreed"),
    [
        ({"tls": True}, ["postgresql"], "postgresql"),
        ({"tls": True}, [], None),
        ({"path": "/"}, [], "http/1.1"),
    ],
)
async def test_health_checks_offer_what_they_speak(tmp_path, authority, pair, check, alpn, agreed):
    async with agreeing_member(pair) as (address, seen):
        pool = {
            "tls": {"ca": authority.file, "alpn": alpn},
            "health": {"active": {"interval": "10ms", **check}},
        }
        file = tmp_path / "adc.yaml"
        file.write_text(yaml.safe_dump(mapping(address, pool=pool)))
        checks = HealthChecks(_ignore, rng=Random(1))
        checks.follow(load(file).config)
        try:
            assert await within(seen.get()) == agreed
        finally:
            await checks.close()


async def _ignore(report):
    pass
