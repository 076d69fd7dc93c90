"""TLS that passes through, to the pool that its ClientHello names."""

import asyncio
import ssl

import pytest

from tests.kit.proxy import serving
from tests.kit.streams import connected, member, named
from tests.kit.waiting import eventually, within
from tests.unit.l4.test_client_hello import hello, records

SNI = {"a.example.com": "tls_a", "*.example.com": "tls_rest"}


@pytest.fixture(scope="module")
def server_context(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.issue("a.example.com", "*.example.com")
    context.load_cert_chain(pair["certificate"], pair["key"])
    return context


@pytest.fixture
def client_context(authority):
    return authority.context()


def mapping(pools, **listener):
    return {
        "listeners": [{"name": "web", "bind": "127.0.0.1:0", "protocol": "tcp", **listener}],
        "pools": {name: {"members": [address]} for name, address in pools.items()},
    }


async def first_bytes(reader, writer):
    writer.write(b"got " + await reader.read(1 << 16))


async def test_name_chooses_the_pool_and_tls_ends_at_the_member(tmp_path, server_context, client_context):
    async with (
        member(named(b"a"), ssl=server_context) as a,
        member(named(b"r"), ssl=server_context) as rest,
        serving(tmp_path, mapping({"tls_a": a, "tls_rest": rest}, sni=SNI)) as proxy,
    ):
        for name, expected in (("a.example.com", b"a"), ("b.example.com", b"r")):
            options = {"ssl": client_context, "server_hostname": name}
            async with connected(proxy, **options) as (reader, writer):
                assert await within(reader.readexactly(1)) == expected
                writer.write(b"x" * 300_000)
                assert await within(reader.readexactly(300_000)) == b"x" * 300_000


async def test_unknown_name_gets_an_alert_and_is_logged(tmp_path, client_context):
    async with (
        member(first_bytes) as a,
        serving(tmp_path, mapping({"tls_a": a, "tls_rest": a}, sni=SNI)) as proxy,
    ):
        with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
            async with connected(proxy, ssl=client_context, server_hostname="other.net"):
                pass
        await eventually(lambda: not proxy.connections)
        proxy.worker.logs.flush()
        log = (tmp_path / "error.log").read_text()
        assert "reason=unrecognized_name" in log
        assert "other.net" in log


async def test_pool_is_the_default(tmp_path):
    async with member(first_bytes) as a, member(named(b"d")) as default:
        pools = {"tls_a": a, "tls_rest": a, "app": default}
        async with (
            serving(tmp_path, mapping(pools, sni=SNI, pool="app")) as proxy,
            connected(proxy) as (reader, writer),
        ):
            writer.write(hello("other.net"))
            assert await within(reader.readexactly(1)) == b"d"


async def test_alpn_decides_before_the_name(tmp_path):
    async with member(first_bytes) as a, member(named(b"h")) as web:
        pools = {"tls_a": a, "tls_rest": a, "web": web}
        options = {"sni": SNI, "tcp": {"alpn": {"h2": "web"}}}
        async with (
            serving(tmp_path, mapping(pools, **options)) as proxy,
            connected(proxy) as (reader, writer),
        ):
            writer.write(hello("a.example.com", alpn=("http/1.1", "h2")))
            assert await within(reader.readexactly(1)) == b"h"


@pytest.mark.parametrize("sizes", [(), (1,), (7, 40, 3)])
async def test_hello_in_many_records_and_segments_reaches_the_member_unchanged(tmp_path, sizes):
    data = records(hello("a.example.com"), sizes)
    async with (
        member(first_bytes) as a,
        serving(tmp_path, mapping({"tls_a": a, "tls_rest": a}, sni=SNI)) as proxy,
        connected(proxy) as (reader, writer),
    ):
        for place in range(0, len(data), 100):
            writer.write(data[place : place + 100])
            await asyncio.sleep(0)
        assert await within(reader.readexactly(4 + len(data))) == b"got " + data


async def test_proxy_protocol_header_comes_before_the_hello(tmp_path):
    data = hello("a.example.com")
    options = {"sni": SNI, "proxy_protocol": {"from": ["127.0.0.0/8"]}}
    async with (
        member(first_bytes) as a,
        serving(tmp_path, mapping({"tls_a": a, "tls_rest": a}, **options)) as proxy,
        connected(proxy) as (reader, writer),
    ):
        writer.write(b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n" + data)
        assert await within(reader.readexactly(4 + len(data))) == b"got " + data


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "bad_client_hello"),
        (b"\x16\x03\x01\x40\x00\x01\x00\xff\xff" + bytes(16_380), "bad_client_hello"),
        (hello("a.example.com")[:60], "hello_incomplete"),
    ],
    ids=[
        "http",
        "oversized",
        "incomplete",
    ],  # a ClientHello has random bytes, and all testers need the same names
)
async def test_stream_without_a_hello_is_refused_and_logged(tmp_path, sent, reason):
    async with (
        member(first_bytes) as a,
        serving(tmp_path, mapping({"tls_a": a, "tls_rest": a}, sni=SNI)) as proxy,
    ):
        async with connected(proxy) as (_, writer):
            writer.write(sent)
            writer.write_eof()
            await eventually(lambda: proxy.listener.refusals.get(reason))
        await eventually(lambda: not proxy.connections)
        proxy.worker.logs.flush()
        assert f"reason={reason}" in (tmp_path / "error.log").read_text()


async def test_hello_that_does_not_come_is_not_waited_for(tmp_path):
    options = {"sni": SNI, "tcp": {"client_hello": {"timeout": "100ms"}}}
    async with (
        member(first_bytes) as a,
        serving(tmp_path, mapping({"tls_a": a, "tls_rest": a}, **options)) as proxy,
        connected(proxy) as (_, writer),
    ):
        writer.write(hello("a.example.com")[:60])
        await eventually(lambda: proxy.listener.refusals.get("hello_timeout"))
