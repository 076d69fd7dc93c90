"""Connections under TLS, to clients and to members, are freed when they are closed, by reference counting alone."""

import contextlib
import ssl

import pytest

from tests.kit.client import Client, get
from tests.kit.member import Member, response
from tests.kit.proxy import config, serving
from tests.kit.survivors import nothing_survives
from tests.kit.waiting import eventually
from tests.wire.tls.terminating import client_of, terminating
from tests.wire.tls.test_members import shown_by_member


@pytest.mark.parametrize("leaving", [False, True])
async def test_a_client_connection_under_tls_is_freed(tmp_path, authority, member, leaving):
    async def once():
        async with client_of(proxy, context) as client:
            assert (await client.ask(get())).status == 200
            if leaving:
                client.reset()
        await eventually(lambda: not proxy.connections)

    context = authority.context()
    async with terminating(tmp_path, member, [authority.issue("a.test")]) as proxy:
        await nothing_survives(once)


async def test_a_handshake_that_fails_leaves_nothing(tmp_path, authority, member):
    async def once():
        client = await Client.connect(proxy.port)
        with contextlib.suppress(ConnectionError):
            await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await client.rest()
        client.close()

    async with terminating(tmp_path, member, [authority.issue("a.test")]) as proxy:
        await nothing_survives(once)


@pytest.mark.parametrize("end", ["closed by the member", "refused certificate"])
async def test_a_member_connection_under_tls_is_freed(tmp_path, authority, end):
    async def once():
        async with proxy.client() as client:
            assert (await client.ask(get())).status == (200 if end == "closed by the member" else 502)
        await eventually(lambda: not (proxy.connections or proxy.member().link.connections))

    async def closing(conversation):
        await conversation.request()
        await conversation.send(response(b"x", "Connection: close"))

    shown = shown_by_member(authority.issue("127.0.0.1" if end == "closed by the member" else "other"))
    async with (
        Member(closing, tls=shown) as member,
        serving(
            tmp_path, config(member.address, pool={"tls": {"ca": authority.file}}, route={"retries": 0})
        ) as proxy,
    ):
        member.errors = _Ignoring()
        await nothing_survives(once)


class _Ignoring(list):
    """Errors of a member whose certificate is refused are expected."""

    def append(self, error):
        assert isinstance(error, ssl.SSLError | ConnectionError)
