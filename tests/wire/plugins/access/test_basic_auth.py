"""Basic authentication over sockets."""

import base64

import bcrypt
import pytest

from tests.kit.client import get, post
from tests.kit.member import Member, answering, echo
from tests.kit.proxy import config, serving

HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
RIGHT = "Authorization: Basic " + base64.b64encode(b"alice:secret").decode()
WRONG = "Authorization: Basic " + base64.b64encode(b"alice:wrong").decode()


@pytest.fixture
async def member():
    async with Member(answering(echo)) as member:
        yield member


async def exchanged(folder, member, *requests, cache=None, **options):
    route = {
        "plugins": [{"basic_auth": {"users": {"alice": HASH}, **options}}],
        **({"cache": cache} if cache else {}),
    }
    top = {"caches": {"default": {}}} if cache else {}
    async with serving(folder, config(member.address, route=route, **top)) as proxy, proxy.client() as client:
        replies = [await client.ask(data) for data in requests]
        return replies, proxy


async def test_only_right_credentials_reach_the_member(tmp_path, member):
    (first, refused, right, again), proxy = await exchanged(
        tmp_path,
        member,
        get(),
        get("/", WRONG),
        post(b"content", RIGHT, "X-Forwarded-User: root"),
        get("/", RIGHT),
    )
    assert [first.status, refused.status, right.status, again.status] == [401, 401, 200, 200]
    assert first[b"www-authenticate"] == b'Basic realm="Restricted", charset="UTF-8"'
    assert len(member.requests) == 2
    assert b"X-Forwarded-User: alice\r\n" in right.body
    assert b"root" not in right.body
    assert b"Authorization" not in right.body
    assert right.body.endswith(b"content")
    assert [line["end_reason"] for line in proxy.access_log()[:2]] == ["denied", "denied"]
    assert "wrong" not in proxy.error_log().replace("credentials are wrong", "")


async def test_limit_of_failed_attempts(tmp_path, member):
    replies, _ = await exchanged(tmp_path, member, *[get("/", WRONG)] * 3, get("/", RIGHT), limit={"most": 3})
    assert [reply.status for reply in replies] == [401, 401, 401, 429]
