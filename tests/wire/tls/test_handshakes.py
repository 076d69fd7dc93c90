"""TLS on a listener: handshakes, names, sessions, and what passes under it."""

import asyncio
import contextlib
import socket
import ssl
import sys

import pytest
import trustme

from adc.net.tls import quiet_about_server_names
from tests.kit.authority import tls_client
from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.waiting import eventually
from tests.wire.tls.terminating import client_of, terminating


def shown_name(client):
    return client.writer.get_extra_info("ssl_object").getpeercert()["subjectAltName"][0][1]


async def test_request_over_tls_reaches_the_member_as_https(tmp_path, authority, member):
    async with (
        terminating(tmp_path, member, [authority.issue("a.test")]) as proxy,
        client_of(proxy, authority.context()) as client,
    ):
        reply = await client.ask(get(host="a.test"))
        assert (reply.status, reply.body) == (200, b"ok")
        assert (await client.ask(get(host="a.test"))).status == 200
    assert [request[b"x-forwarded-proto"] for request in member.requests] == [b"https", b"https"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.test", "a.test"),
        ("b.test", "b.test"),
        ("x.wild.test", "*.wild.test"),
        ("y.WILD.test", "*.wild.test"),
    ],
)
async def test_certificate_is_chosen_by_server_name(tmp_path, authority, member, name, shown):
    pairs = [authority.issue("a.test"), authority.issue("b.test"), authority.issue("*.wild.test")]
    async with (
        terminating(tmp_path, member, pairs) as proxy,
        client_of(proxy, authority.context(), name) as client,
    ):
        assert shown_name(client) == shown


@pytest.mark.parametrize("name", ["other.test", "deep.x.wild.test", ""])
async def test_first_certificate_serves_unknown_names(tmp_path, authority, member, name):
    pairs = [authority.issue("a.test"), authority.issue("*.wild.test")]
    async with (
        terminating(tmp_path, member, pairs) as proxy,
        client_of(proxy, authority.context(check_hostname=False), name) as client,
    ):
        assert shown_name(client) == "a.test"


async def test_rsa_and_ecdsa_are_served_side_by_side(tmp_path, authority, member):
    pairs = [
        authority.issue("a.test", file="rsa", key_type=trustme.KeyType.RSA),
        authority.issue("a.test", file="ec", key_type=trustme.KeyType.ECDSA),
    ]
    async with terminating(tmp_path, member, pairs) as proxy:
        for ciphers, expected in [
            ("ECDHE-RSA-AES128-GCM-SHA256", "RSA"),
            ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDSA"),
        ]:
            context = authority.context(maximum_version=ssl.TLSVersion.TLSv1_2)
            context.set_ciphers(ciphers)
            async with client_of(proxy, context) as client:
                assert expected in client.writer.get_extra_info("cipher")[0]


async def test_client_below_the_least_version_is_refused_and_counted(tmp_path, authority, member):
    context = authority.context(maximum_version=ssl.TLSVersion.TLSv1_2)
    async with terminating(tmp_path, member, [authority.issue("a.test")], {"min_version": "1.3"}) as proxy:
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await tls_client(proxy.port, context)
        await eventually(lambda: proxy.listener.service.refusals.get("tls_handshake"))


async def test_http_1_1_is_negotiated(tmp_path, authority, member):
    context = authority.context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    async with (
        terminating(tmp_path, member, [authority.issue("a.test")]) as proxy,
        client_of(proxy, context) as client,
    ):
        assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"


async def test_session_is_resumed_in_the_same_worker(tmp_path, authority, member):
    context = authority.context(maximum_version=ssl.TLSVersion.TLSv1_2)

    def handshake(port, session):
        with (
            socket.create_connection(("127.0.0.1", port)) as sock,
            context.wrap_socket(sock, server_hostname="b.test", session=session) as secured,
        ):
            return secured.session_reused, secured.session

    pairs = [authority.issue("a.test"), authority.issue("b.test")]
    async with terminating(tmp_path, member, pairs) as proxy:
        reused, session = await asyncio.to_thread(handshake, proxy.port, None)
        assert not reused
        assert (await asyncio.to_thread(handshake, proxy.port, session))[0]


async def test_handshake_that_does_not_come_is_given_up(tmp_path, authority, member):
    async with terminating(
        tmp_path, member, [authority.issue("a.test")], timeouts={"tls_handshake": "1s"}
    ) as proxy:
        proxy.listener._accepting.accept_context.handshake_timeout = 0.05
        async with proxy.client() as client:
            await client.send(b"\x16")
            assert await client.rest() == b""
        await eventually(lambda: proxy.listener.service.refusals.get("tls_handshake"))
        await eventually(lambda: not proxy.listener.open_connections)


async def test_plain_http_to_a_tls_listener_is_closed(tmp_path, authority, member):
    async with terminating(tmp_path, member, [authority.issue("a.test")]) as proxy, proxy.client() as client:
        await client.send(get())
        with contextlib.suppress(ConnectionError):
            assert b"HTTP/" not in await client.rest()
    assert not member.requests


async def test_route_is_found_by_server_name(tmp_path, authority, member):
    pairs = [authority.issue("a.test"), authority.issue("b.test")]
    async with (
        terminating(tmp_path, member, pairs, route={"match": {"tls": {"sni": "b.test"}}}) as proxy,
        client_of(proxy, authority.context(), "a.test") as one,
        client_of(proxy, authority.context(), "b.test") as other,
    ):
        assert (await one.ask(get(host="a.test"))).status == 404
        assert (await other.ask(get(host="b.test"))).status == 200


async def test_large_bodies_pass_both_ways_and_slow_readers_hold_them_back(tmp_path, authority):
    big = b"x" * (3 << 20)
    async with (
        Member(answering(lambda request: response(request.body))) as member,
        terminating(tmp_path, member, [authority.issue("a.test")]) as proxy,
        client_of(proxy, authority.context()) as client,
    ):
        reply = await client.ask(get("/", f"Content-Length: {len(big)}", host="a.test", method="POST") + big)
        assert reply.body == big


async def test_websocket_over_tls(tmp_path, authority):
    async def switch(conversation):
        await conversation.head()
        await conversation.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello"
        )
        assert await conversation.exactly(4) == b"ping"
        await conversation.send(b"pong")

    async with (
        Member(switch) as member,
        terminating(tmp_path, member, [authority.issue("a.test")]) as proxy,
        client_of(proxy, authority.context()) as client,
    ):
        reply = await client.ask(get("/", "Connection: upgrade", "Upgrade: websocket", host="a.test"))
        assert reply.status == 101
        assert await client.exactly(5) == b"hello"
        await client.send(b"ping")
        assert await client.rest() == b"pong"


async def test_server_name_that_is_no_text_breaks_nothing(tmp_path, authority, member, monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    quiet_about_server_names()
    hello = bytearray(client_hello("a.test"))
    place = hello.index(b"a.test")
    hello[place : place + 6] = b"\xff.test"
    async with terminating(tmp_path, member, [authority.issue("a.test")]) as proxy:
        async with proxy.client() as client:
            await client.send(bytes(hello))
            await client.closed()
        async with client_of(proxy, authority.context()) as client:
            assert (await client.ask(get(host="a.test"))).status == 200


def client_hello(name):
    """The first bytes of a client that asks for `name`."""
    sent = ssl.MemoryBIO()
    secured = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        secured.do_handshake()
    return sent.read()
