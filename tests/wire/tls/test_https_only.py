"""Clients are kept to https: redirects, Strict-Transport-Security."""

import pytest

from tests.kit.client import get
from tests.kit.proxy import config, serving
from tests.wire.tls.terminating import client_of, terminating


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
