"""The provider ends sessions of `oidc` by itself: OpenID Connect Back-Channel Logout 1.0."""

import asyncio
import contextlib
import json
import time
from urllib.parse import urlencode

import pytest

from tests.kit.browser import Browser
from tests.kit.client import get, post
from tests.kit.openid_provider import LOGOUT_EVENT, OpenIdProvider
from tests.kit.tokens import key, token
from tests.kit.waiting import PATIENCE
from tests.wire.plugins.access.test_oidc import site
from tests.wire.redis_server import RedisServer, needs_redis, started

PATH = "/oauth2/backchannel_logout"
FORM = "Content-Type: application/x-www-form-urlencoded"


async def posted(here, written, *fields, content_type=FORM):
    """The response to a form that the provider sends: `written`, or one with that token."""
    body = written if isinstance(written, bytes) else urlencode({"logout_token": written}).encode()
    async with here.proxy.client() as client:
        return await client.ask(post(body, content_type, *fields, target=PATH))


async def logged_in(here, sid=None, browser=None):
    here.provider.id_claims = {"sid": sid} if sid else {}
    browser = browser or Browser(here.proxy.port)
    assert (await browser.follow("/")).status == 200
    return browser


async def is_in(browser):
    return (await browser.get("/")).status == 200


async def test_logout_of_a_user_ends_all_of_their_sessions_and_no_others(tmp_path):
    async with site(tmp_path, session="table") as here:
        alices = [await logged_in(here, sid) for sid in (None, "1", "2")]
        here.provider.user = {**here.provider.user, "sub": "bob"}
        bob = await logged_in(here, "3")
        reply = await posted(here, here.provider.logout_token())
        assert (reply.status, reply[b"cache-control"], reply.body) == (200, b"no-store", b"")
        assert [await is_in(each) for each in alices] == [False] * 3
        assert await is_in(bob)
        assert here.plugin._ended.value == 1


@pytest.mark.parametrize("sub", ["alice", None])
async def test_logout_of_a_session_of_the_provider_ends_that_alone(tmp_path, sub):
    async with site(tmp_path, session="table") as here:
        first, second = [await logged_in(here, sid) for sid in ("1", "2")]
        nameless = await logged_in(here)
        assert (await posted(here, here.provider.logout_token(sid="1", sub=sub))).status == 200
        assert [await is_in(first), await is_in(second)] == [False, True]
        assert await is_in(nameless) is (sub is None)  # it may be the one: its ID token named none


async def test_user_may_log_in_again_after_a_logout(tmp_path):
    async with site(tmp_path, session="table") as here:
        browser = await logged_in(here, "1")
        await posted(here, here.provider.logout_token())
        assert not await is_in(browser)
        await logged_in(here, "1", browser)
        assert await is_in(browser)


async def test_ended_session_leaves_nothing_in_the_table_but_marks(tmp_path):
    async with site(tmp_path, session="table") as here:
        browser = await logged_in(here)
        await posted(here, here.provider.logout_token())
        assert not await is_in(browser)
        entries = here.plugin._store._table.scan().entries
        assert all(len(entry.value) < 20 for _, entry in entries)
        assert len(entries) == 2  # of the user, and of the token


async def test_renewed_session_is_still_the_one_that_began_before(tmp_path):
    async with site(tmp_path, session="table") as here:
        browser = await logged_in(here, "1")
        here.provider.id_claims = {}
        here.pass_time(280)
        assert await is_in(browser)
        assert here.plugin._renewed.value == 1
        here.pass_time(0)
        await posted(here, here.provider.logout_token(sid="1", sub=None))
        assert not await is_in(browser)


WRONG = {
    "issuer": {"iss": "https://evil.test"},
    "audience": {"aud": "other"},
    "no time": {"iat": None},
    "old": {"iat": int(time.time()) - 400, "exp": None},
    "future": {"iat": int(time.time()) + 10_000},
    "expired": {"exp": int(time.time()) - 100},
    "no events": {"events": None},
    "other event": {"events": {"http://schemas.openid.net/event/other": {}}},
    "events of a wrong type": {"events": [LOGOUT_EVENT]},
    "event of a wrong type": {"events": {LOGOUT_EVENT: None}},
    "nonce": {"nonce": "x"},
    "empty nonce": {"nonce": ""},
    "nobody": {"sub": None},
    "sub of a wrong type": {"sub": ["alice"]},
    "long sid": {"sid": "x" * 256},
    "no jti": {"jti": None},
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=WRONG)
async def test_token_that_is_no_logout_is_refused(tmp_path, claims):
    async with site(tmp_path, session="table") as here:
        browser = await logged_in(here)
        reply = await posted(here, here.provider.logout_token(**claims))
        assert (reply.status, reply[b"cache-control"]) == (400, b"no-store")
        assert json.loads(reply.body)["error"] == "invalid_request"
        assert await is_in(browser)
        assert "a logout of the provider was refused" in here.proxy.error_log()


async def test_token_of_another_signature_or_type_is_refused(tmp_path):
    async with site(tmp_path, session="table") as here:
        browser = await logged_in(here)
        right = here.provider.logout_token()
        stranger = OpenIdProvider()
        stranger.issuer, stranger.signed_by = here.provider.issuer, key("EC", "provider2")
        unsigned = ".".join([*right.split(".")[:2], ""])
        access = token({"iss": here.provider.issuer}, here.provider.signed_by, header={"typ": "at+jwt"})
        for wrong in (
            stranger.logout_token(),
            unsigned,
            right[:-4] + "AAAA",
            access,
            here.provider.issued[0]["id_token"],
        ):
            assert (await posted(here, wrong)).status == 400
        assert await is_in(browser)


async def test_token_counts_once(tmp_path):
    async with site(tmp_path, session="table") as here:
        logout = here.provider.logout_token()
        assert (await posted(here, logout)).status == 200
        browser = await logged_in(here)
        assert (await posted(here, logout)).status == 400
        assert await is_in(browser)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"logout_token=",
        b"a=1",
        b"logout_token=x&logout_token=y",
        b"logout_token=x",
        b"\xff=",
        b"a&" * 30,
    ],
)
async def test_request_without_one_token_is_refused(tmp_path, body):
    async with site(tmp_path, session="table") as here:
        assert (await posted(here, body)).status == 400
        assert not here.member.requests


async def test_only_forms_of_post_of_bounded_size_are_read(tmp_path):
    async with site(tmp_path, session="table") as here:
        right = here.provider.logout_token()
        assert (await posted(here, right, content_type="Content-Type: application/json")).status == 400
        assert (await posted(here, b"logout_token=" + b"x" * 100_000)).status == 400
        async with here.proxy.client() as client:
            reply = await client.ask(get(PATH))
        assert (reply.status, reply[b"allow"]) == (405, b"POST")
        assert not here.member.requests


async def test_provider_whose_keys_are_away_is_a_503_and_ends_nothing(tmp_path):
    provider = OpenIdProvider()
    provider.down = True
    async with site(tmp_path, provider=provider, session="table") as here:
        assert (await posted(here, provider.logout_token())).status == 503


async def test_bodies_for_the_member_pass_whole(tmp_path):
    async with site(tmp_path, session="table") as here:
        browser = await logged_in(here)
        cookie = f"Cookie: adc_session={browser.cookies['adc_session']}"
        async with here.proxy.client() as client:
            body = b"x" * 300_000
            reply = await client.ask(post(body, cookie, target="/upload"))
        assert reply.status == 200
        assert here.member.requests[-1].body == body


async def test_sessions_in_cookies_have_no_path_for_the_provider(tmp_path):
    async with site(tmp_path) as here:
        assert (await posted(here, here.provider.logout_token())).status == 401


async def until(browser, inside):
    """Wait until the browser has a session, or none: changes reach another node within `cluster.sync.interval`."""
    async with asyncio.timeout(PATIENCE):
        while await is_in(browser) is not inside:
            await asyncio.sleep(0.01)


@needs_redis
async def test_sessions_of_a_cluster_live_in_redis_and_end_on_every_node(tmp_path):
    for name in ("redis", "a", "b"):
        (tmp_path / name).mkdir()
    with started(RedisServer(tmp_path / "redis")) as redis:
        async with OpenIdProvider() as provider:

            def node(name):
                state = {"backend": "redis", "url": redis.url, "path": str(tmp_path / name / "state")}
                top = {"state": state, "cluster": {"name": "two", "secret": "the secret of these two nodes"}}
                shared = contextlib.nullcontext(provider)
                return site(tmp_path / name, provider=shared, top=top, session="table", scope="cluster")

            async with node("a") as a, node("b") as b:
                ours = await logged_in(a, "1")
                theirs = elsewhere(ours, b)
                await until(theirs, True)  # asked of Redis
                other = await logged_in(b, "2")
                assert (await posted(b, provider.logout_token(sid="1"))).status == 200
                assert not await is_in(theirs)
                await until(ours, False)
                assert await is_in(other)
                await until(elsewhere(other, a), True)
                assert (await elsewhere(other, a).get("/oauth2/logout")).status == 302
                await until(other, False)


def elsewhere(browser, here):
    """The same browser at another node."""
    other = Browser(here.proxy.port)
    other.cookies = dict(browser.cookies)
    return other
