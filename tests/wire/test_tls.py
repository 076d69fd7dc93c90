import asyncio
import contextlib
import os
import socket
import ssl
import sys
from pathlib import Path
from random import Random

import pytest
import trustme
import yaml

from adc.codecs.tls import quiet_about_server_names
from adc.config.loading import load
from adc.runtime.errors import BuildError
from adc.runtime.runtime import Runtime
from tests.kit.authority import Authority, tls_client
from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
async def member():
    async with Member() as member:
        yield member


@contextlib.asynccontextmanager
async def terminating(folder, member, pairs, tls=None, *, route=None, **listener):
    settings = {"tls": {"certificates": pairs, **(tls or {})}, **listener}
    async with serving(folder, config(member.address, listener=settings, route=route)) as proxy:
        yield proxy


@contextlib.asynccontextmanager
async def client_of(proxy, context, name="a.test", **options):
    client = await tls_client(proxy.port, context, name, **options)
    try:
        yield client
    finally:
        client.close()


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
        proxy.listener._accepting.entrance.handshake_timeout = 0.05
        async with proxy.client() as client:
            await client.send(b"\x16")
            assert await client.rest() == b""
        await eventually(lambda: proxy.listener.service.refusals.get("tls_handshake"))
        await eventually(lambda: not proxy.listener.busy)


async def test_plain_http_to_a_tls_listener_is_closed(tmp_path, authority, member):
    async with terminating(tmp_path, member, [authority.issue("a.test")]) as proxy, proxy.client() as client:
        await client.send(get())
        with contextlib.suppress(ConnectionError):
            assert b"HTTP/" not in await client.rest()
    assert not member.requests


@pytest.fixture
def clients(tmp_path):
    return Authority(tmp_path / "clients")


def asking(clients, mode="required"):
    return {"client_auth": {"mode": mode, "ca": clients.file}}


FORGED = ("X-SSL-Client-Verify: SUCCESS", "x_ssl_client_subject_dn: CN=root")


async def test_verified_client_certificate_is_told_to_the_member(tmp_path, authority, clients, member):
    pair = clients.issue("alice@a.test", common_name="Alice")
    async with (
        terminating(tmp_path, member, [authority.issue("a.test")], asking(clients)) as proxy,
        client_of(proxy, authority.context(pair)) as client,
    ):
        assert (await client.ask(get("/", *FORGED, host="a.test"))).status == 200
    (request,) = member.requests
    assert request[b"x-ssl-client-verify"] == b"SUCCESS"
    assert b"CN=Alice" in request[b"x-ssl-client-subject-dn"]
    assert request[b"x-ssl-client-san"] == b"email:alice@a.test"
    assert len(request[b"x-ssl-client-fingerprint"]) == 64
    assert b"x_ssl_client_subject_dn" not in request


async def test_required_client_certificate_is_required(tmp_path, authority, clients, member):
    stranger = authority.issue("mallory@a.test", file="mallory")
    async with terminating(tmp_path, member, [authority.issue("a.test")], asking(clients)) as proxy:
        for pair in (None, stranger):
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                async with client_of(proxy, authority.context(pair)) as client:
                    await client.ask(get(host="a.test"))
                    pytest.fail("the request was answered")
    assert not member.requests


async def test_without_a_certificate_nothing_can_be_forged(tmp_path, authority, clients, member):
    async with (
        terminating(tmp_path, member, [authority.issue("a.test")], asking(clients, "optional")) as proxy,
        client_of(proxy, authority.context()) as client,
    ):
        assert (await client.ask(get("/", *FORGED, host="a.test"))).status == 200
    (request,) = member.requests
    assert request[b"x-ssl-client-verify"] == b"NONE"
    assert not [name for name, _ in request.fields if b"subject" in name]


async def test_fields_of_certificates_are_taken_from_clients_of_other_listeners_too(
    tmp_path, authority, clients, member
):
    mapping = config(member.address)
    secure = {"certificates": [authority.issue("a.test")], **asking(clients)}
    mapping["listeners"].append({"name": "secure", "bind": "127.0.0.1:0", "tls": secure})
    async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
        assert (await client.ask(get("/", *FORGED))).status == 200
    assert not [name for name, _ in member.requests[0].fields if b"ssl" in name]


async def test_name_of_another_certificate_is_misdirected_where_clients_are_verified(
    tmp_path, authority, clients, member
):
    pairs = [authority.issue("a.test", "also.test"), authority.issue("b.test")]
    async with (
        terminating(tmp_path, member, pairs, asking(clients, "optional")) as proxy,
        client_of(proxy, authority.context()) as client,
    ):
        assert (await client.ask(get(host="also.test"))).status == 200
        assert (await client.ask(get(host="b.test"))).status == 421


async def test_changed_certificate_is_used_and_open_connections_stay(tmp_path, authority, member):
    pair = authority.issue("a.test", file="live")
    async with terminating(tmp_path, member, [pair]) as proxy:
        old = await tls_client(proxy.port, authority.context())
        held = proxy.listener.tls
        authority.issue("a.test", "new.test", file="live")
        proxy.pass_time(2)
        proxy.pass_time(4)
        await eventually(lambda: proxy.listener.tls is not held)
        async with client_of(proxy, authority.context(), "new.test"):
            pass
        assert (await old.ask(get(host="a.test"))).status == 200
        old.close()


def overwrite(file, text):
    Path(file).write_text(text)


async def test_broken_new_certificate_keeps_the_old_one_and_says_why(tmp_path, authority, member):
    pair = authority.issue("a.test", file="broken")
    async with terminating(tmp_path, member, [pair]) as proxy:
        overwrite(pair["certificate"], "no certificate")
        for seconds in (2, 4):
            proxy.pass_time(seconds)
        await eventually(lambda: "certificates_not_reloaded" in proxy.error_log())
        assert pair["certificate"] in proxy.error_log()
        async with client_of(proxy, authority.context()) as client:
            assert (await client.ask(get(host="a.test"))).status == 200


async def test_reload_turns_tls_on_and_off_on_the_same_socket(tmp_path, authority, member):
    plain = config(member.address)
    secure = config(member.address, listener={"tls": {"certificates": [authority.issue("a.test")]}})

    async def reload(proxy, mapping):
        file = tmp_path / "next.yaml"
        file.write_text(yaml.safe_dump(mapping))
        await proxy.worker.prepare(
            load(file).config, {"web": proxy.worker.listeners["web"]._accepting._sockets}
        )
        await proxy.worker.commit()

    async with serving(tmp_path, plain) as proxy, proxy.client() as before:
        assert (await before.ask(get())).status == 200
        await reload(proxy, secure)
        assert await before.closed()
        async with client_of(proxy, authority.context()) as client:
            assert (await client.ask(get(host="a.test"))).status == 200
        await reload(proxy, plain)
        async with proxy.client() as client:
            assert (await client.ask(get())).status == 200
    assert [request[b"x-forwarded-proto"] for request in member.requests] == [b"http", b"https", b"http"]


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


async def test_expiry_is_a_metric(tmp_path, authority, member):
    async with terminating(tmp_path, member, [authority.issue("a.test")]) as proxy:
        (sample,) = [
            sample for sample in proxy.worker.samples() if sample.name == "adc_tls_certificate_expiry_seconds"
        ]
    assert sample.labels == ("web", "a.test")
    assert sample.value > 1.7e9


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda pair: os.unlink(pair["certificate"]), r"certificate .*spoilt\.crt: No such file"),
        (lambda pair: os.unlink(pair["key"]), r"spoilt\.key: .*No such file"),
        (lambda pair: pair.update(key=pair["other"]), r"key .*other\.key: it is not the key"),
        (lambda pair: pair.update(certificate=pair["key"]), r"certificate .*spoilt\.key"),
    ],
)
def test_certificate_that_cannot_be_used_is_told_before_anything_changes(tmp_path, authority, spoil, told):
    pair = authority.issue("a.test", file="spoilt")
    pair["other"] = authority.issue("a.test", file="other")["key"]
    spoil(pair)
    certificates = [{"certificate": pair["certificate"], "key": pair["key"]}]
    file = tmp_path / "adc.yaml"
    file.write_text(yaml.safe_dump(config("127.0.0.1:1", listener={"tls": {"certificates": certificates}})))
    with pytest.raises(BuildError, match=f"listener web: .*{told}"):
        Runtime(load(file).config, Random(0))


@pytest.mark.parametrize("status", [301, 308])
async def test_redirect_to_https(tmp_path, member, status):
    listener = {"redirect_to_https": {"status": status, "port": 8443}}
    async with (
        serving(tmp_path, config(member.address, listener=listener)) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(get("/x%20y?q=1", host="a.test:8080"))
        assert (reply.status, reply[b"location"]) == (status, b"https://a.test:8443/x%20y?q=1")
    assert not member.requests


async def test_request_that_came_by_https_to_a_trusted_proxy_is_not_redirected(tmp_path, member):
    listener = {"redirect_to_https": True, "trusted_proxies": ["127.0.0.1"]}
    async with (
        serving(tmp_path, config(member.address, listener=listener)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get("/", "X-Forwarded-Proto: https"))).status == 200
        assert (await client.ask(get("/", "X-Forwarded-Proto: http"))).status == 308


async def test_strict_transport_security_on_every_response_over_tls(tmp_path, authority, member):
    async with (
        terminating(
            tmp_path, member, [authority.issue("a.test")], hsts={"max_age": "30d", "include_subdomains": True}
        ) as proxy,
        client_of(proxy, authority.context()) as client,
    ):
        for host, status in (("a.test", 200), ("bad host", 400)):
            reply = await client.ask(get(host=host))
            assert reply.status == status
            assert reply[b"strict-transport-security"] == b"max-age=2592000; includeSubDomains"
