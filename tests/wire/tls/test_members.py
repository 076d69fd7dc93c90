import asyncio
import contextlib
import socket
import ssl
import threading

import pytest

from tests.kit.authority import Authority
from tests.kit.client import get
from tests.kit.member import Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import PATIENCE


def shown_by_member(pair, clients=None, **options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair["certificate"], pair["key"])
    for name, value in options.items():
        setattr(context, name, value)
    if clients is not None:
        context.load_verify_locations(clients.file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@contextlib.asynccontextmanager
async def proxied(folder, context, tls):
    """A client of a proxy whose only member speaks TLS."""
    async with (
        Member(tls=context) as member,
        serving(folder, config(member.address, pool={"tls": tls}, route={"retries": 0})) as proxy,
        proxy.client() as client,
    ):
        yield proxy, client, member


async def test_member_is_verified_by_the_given_authority_and_its_address(tmp_path, authority):
    context = shown_by_member(authority.issue("127.0.0.1"))
    async with proxied(tmp_path, context, {"ca": authority.file}) as (_, client, member):
        for _ in range(2):
            assert (await client.ask(get())).status == 200
        assert len(member.connections) == 1


async def test_member_is_verified_by_the_name_given(tmp_path, authority):
    context = shown_by_member(authority.issue("app.internal"))
    names = []
    context.sni_callback = lambda secured, name, context: names.append(name)
    async with proxied(tmp_path, context, {"ca": authority.file, "sni": "app.internal"}) as (_, client, _):
        assert (await client.ask(get())).status == 200
    assert names == ["app.internal"]


@pytest.mark.parametrize("name", ["other.internal", "127.0.0.1"])
async def test_member_that_cannot_be_verified_is_sent_nothing(tmp_path, authority, name):
    stranger = Authority(tmp_path / "stranger") if name == "127.0.0.1" else authority
    context = shown_by_member(stranger.issue(name))
    async with proxied(tmp_path, context, {"ca": authority.file}) as (proxy, client, member):
        reply = await client.ask(get())
        assert (reply.status, reply[b"proxy-status"]) == (502, b"adc; error=tls_certificate_error")
        assert not member.requests
        assert proxy.access_log()[0]["end_reason"] == "tls_failed"


async def test_system_authorities_are_the_default(tmp_path, authority):
    context = shown_by_member(authority.issue("127.0.0.1"))
    async with proxied(tmp_path, context, True) as (_, client, _):
        assert (await client.ask(get())).status == 502


async def test_verification_can_be_turned_off(tmp_path, authority):
    context = shown_by_member(authority.issue("other.internal"))
    async with proxied(tmp_path, context, {"verify": False}) as (_, client, _):
        assert (await client.ask(get())).status == 200


async def test_certificate_is_shown_to_a_member_that_asks(tmp_path, authority):
    clients = Authority(tmp_path / "clients")
    pair = clients.issue("proxy@adc.test", file="proxy")
    context = shown_by_member(authority.issue("127.0.0.1"), clients)
    async with proxied(tmp_path, context, {"ca": authority.file, **pair}) as (_, client, _):
        assert (await client.ask(get())).status == 200


class RefusingMember:
    """A TLS server that asks for a certificate, says in an alert what it thinks of ours, and waits for the end."""

    def __init__(self, context):
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        with self._listening, self._listening.accept()[0] as sock:
            secured = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            with secured:
                with contextlib.suppress(ssl.SSLError):
                    secured.do_handshake()
                socket.socket.shutdown(secured, socket.SHUT_WR)
                with contextlib.suppress(OSError):
                    while socket.socket.recv(secured, 4096):
                        pass

    async def ended(self):
        await asyncio.to_thread(self._thread.join, PATIENCE)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_member_that_refuses_us_by_an_alert_is_told_apart(tmp_path, authority, version):
    clients = Authority(tmp_path / "clients")
    context = shown_by_member(authority.issue("127.0.0.1"), clients, maximum_version=version)
    member = RefusingMember(context)
    mapping = config(member.address, pool={"tls": {"ca": authority.file}}, route={"retries": 0})
    async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
        reply = await client.ask(get())
        assert (reply.status, reply[b"proxy-status"]) == (502, b"adc; error=tls_alert_received")
    await member.ended()


async def test_member_that_breaks_the_handshake_off_fails_it(tmp_path, authority):
    async def reset(conversation):
        await conversation.some()
        conversation.reset()

    async with (
        Member(reset) as member,
        serving(tmp_path, config(member.address, pool={"tls": {"ca": authority.file}})) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(get())
        assert (reply.status, reply[b"proxy-status"]) == (502, b"adc; error=tls_protocol_error")


async def test_member_below_the_least_version_is_refused(tmp_path, authority):
    context = shown_by_member(authority.issue("127.0.0.1"), maximum_version=ssl.TLSVersion.TLSv1_2)
    async with proxied(tmp_path, context, {"ca": authority.file, "min_version": "1.3"}) as (_, client, _):
        assert (await client.ask(get())).status == 502


async def test_member_that_speaks_no_tls_fails_the_handshake(tmp_path, authority):
    async def plain(conversation):
        await conversation.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with (
        Member(plain) as member,
        serving(tmp_path, config(member.address, pool={"tls": {"ca": authority.file}})) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(get())
        assert (reply.status, reply[b"proxy-status"]) == (502, b"adc; error=tls_protocol_error")
