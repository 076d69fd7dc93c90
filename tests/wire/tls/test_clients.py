"""Client certificates: what is asked of clients, and what members are told of them."""

import asyncio
import contextlib

import pytest

from tests.kit.authority import Authority
from tests.kit.client import get
from tests.kit.proxy import config, serving
from tests.wire.tls.terminating import client_of, terminating


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
