"""Plugins that refuse requests by address, place or size, over sockets."""

import pytest

from tests.kit.client import get
from tests.kit.mmdb import write_database
from tests.kit.proxy import config, serving

FORWARDED = {"trusted_proxies": ["127.0.0.1"]}


def mapping(member, *plugins, **top):
    return config(member.address, route={"plugins": list(plugins)}, **top)


async def asked(folder, mapping, data, method="GET"):
    """The reply to `data`, and the record in the access log."""
    async with serving(folder, mapping) as proxy, proxy.client() as client:
        reply = await client.ask(data, method)
        return reply, proxy.access_log()[0]


@pytest.mark.parametrize(
    ("source", "by", "status"),
    [("192.0.2.1", "client", 403), ("198.51.100.1", "client", 200), ("192.0.2.1", "peer", 200)],
)
async def test_address_counts_as_trusted_proxies_name_it(tmp_path, member, source, by, status):
    plugin = {"ip_access": {"deny": ["192.0.2.0/24"], "by": by}}
    head = get("/", f"X-Forwarded-For: {source}")
    reply, logged = await asked(tmp_path / "adc", mapping(member, plugin, **FORWARDED), head)
    assert (reply.status, logged["end_reason"]) == (status, "denied" if status == 403 else "-")


async def test_member_sees_the_place_of_the_client(tmp_path, member):
    write_database(tmp_path / "geo.mmdb", {"192.0.2.0/24": {"country": {"iso_code": "KR"}}})
    plugin = {"geo": {"databases": str(tmp_path / "geo.mmdb"), "deny": {"countries": ["US"]}}}
    head = get("/", "X-Forwarded-For: 192.0.2.1", "x-geo-country: US")
    reply, _ = await asked(tmp_path / "adc", mapping(member, plugin, **FORWARDED), head)
    assert reply.status == 200
    assert b"X-Geo-Country: KR" in reply.body
    assert b"US" not in reply.body


async def test_method_that_is_not_allowed_gets_405(tmp_path, member):
    plugin = {"request_limits": {"methods": ["GET", "POST"]}}
    data = b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n"
    reply, _ = await asked(tmp_path / "adc", mapping(member, plugin), data, "DELETE")
    assert (reply.status, reply[b"allow"]) == (405, b"GET, POST, HEAD")


@pytest.mark.parametrize(("size", "status"), [(10, 200), (11, 413)])
async def test_chunked_body_over_the_limit_gets_413(tmp_path, member, size, status):
    plugin = {"request_limits": {"body": "10B"}}
    chunks = b"5\r\n12345\r\n" + b"%x\r\n%b\r\n0\r\n\r\n" % (size - 5, b"x" * (size - 5))
    data = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    reply, logged = await asked(tmp_path / "adc", mapping(member, plugin), data, "POST")
    assert (reply.status, logged["end_reason"]) == (status, "limit_body" if status == 413 else "-")


async def test_body_within_the_limit_keeps_its_length(tmp_path, member):
    plugin = {"request_limits": {"body": "10B"}}
    data = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-MD5: x\r\n\r\n12345"
    reply, _ = await asked(tmp_path / "adc", mapping(member, plugin), data, "POST")
    assert b"Content-Length: 5" in reply.body
    assert b"Content-MD5: x" in reply.body
