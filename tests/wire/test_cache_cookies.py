"""`Vary: Cookie` behind sticky pools and with cookies of trackers."""

import contextlib

import pytest

from tests.kit.client import get
from tests.kit.member import Member, response
from tests.kit.proxy import config, serving
from tests.wire.cached import told

VARIES = ("Cache-Control: max-age=100", "Vary: Cookie")


@contextlib.asynccontextmanager
async def varying(tmp_path, sticky=None, **cache):
    """A client of a cache before a member whose page names the cookies that it was sent."""

    async def script(conversation):
        while True:
            request = await conversation.request()
            cookies = (
                b"; ".join(value for name, value in request.fields if name.lower() == b"cookie") or b"none"
            )
            await conversation.send(
                response(cookies, *VARIES, "Set-Cookie: SID=theirs" if sticky else "X: y")
            )

    pool = {"persistence": {"cookie": sticky}} if sticky else {}
    cache = {"store": "site", "set_cookie": "explicit", **cache}
    async with Member(script) as member:
        mapping = config(
            member.address,
            route={"cache": cache},
            pool=pool,
            caches={"site": {"memory": "8MB"}},
            state={"backend": "memory"},
        )
        async with serving(tmp_path / "run", mapping) as proxy, proxy.client() as client:
            yield client


def pin_of(reply):
    lines = [value for name, value in reply.fields if name.lower() == b"set-cookie"]
    return lines[-1].partition(b";")[0].decode()


async def test_sticky_cookie_of_the_pool_does_not_choose_a_variant(tmp_path):
    async with varying(tmp_path, {"name": "pin"}) as client:
        first = await client.ask(get("/"))
        pin = pin_of(first)
        assert pin.startswith("pin=")
        for cookies in ([], [f"Cookie: {pin}"], ["Cookie: pin=other"]):
            assert "hit" in told(await client.ask(get("/", *cookies)))
        own = await client.ask(get("/", f"Cookie: {pin}; lang=de"))
        assert own.body == b"lang=de"
        assert "hit" in told(await client.ask(get("/", "Cookie: lang=de; pin=another")))


async def test_mark_before_the_applications_value_does_not_choose_a_variant(tmp_path):
    async with varying(tmp_path, {"name": "SID", "mode": "prefix"}) as client:
        marked = pin_of(await client.ask(get("/")))
        assert marked.endswith("~theirs")
        assert (await client.ask(get("/", f"Cookie: {marked}"))).body == b"SID=theirs"
        assert "hit" in told(await client.ask(get("/", "Cookie: SID=theirs")))
        assert (await client.ask(get("/", "Cookie: SID=else"))).body == b"SID=else"


@pytest.mark.parametrize("key", [{"cookies": ["pin", "lang"]}, {"headers": ["Cookie"]}])
async def test_sticky_cookie_is_not_part_of_a_key_of_cookies(key, tmp_path):
    async with varying(tmp_path, {"name": "pin"}, key=key) as client:
        await client.ask(get("/", "Cookie: pin=one; lang=de"))
        assert "hit" in told(await client.ask(get("/", "Cookie: lang=de; pin=two")))
        assert (await client.ask(get("/", "Cookie: pin=one; lang=en"))).body == b"lang=en"


@pytest.mark.parametrize(
    ("rules", "same", "other"),
    [
        ({"ignore": ["_ga", "_ga_*"]}, "a=1; _ga=3; _ga_X=4", "a=2; _ga=1"),
        ({"only": ["a"]}, "tracker=7; a=1", "a=2"),
        ({"only": ["a*"]}, "b=1; a=1", "ab=1; a=1"),
    ],
)
async def test_cookies_of_trackers_do_not_choose_a_variant(rules, same, other, tmp_path):
    async with varying(tmp_path, vary_cookies=rules) as client:
        await client.ask(get("/", "Cookie: a=1"))
        assert "hit" in told(await client.ask(get("/", f"Cookie: {same}")))
        reply = await client.ask(get("/", f"Cookie: {other}"))
        assert reply.body == other.encode()


async def test_without_rules_every_cookie_chooses_a_variant(tmp_path):
    async with varying(tmp_path) as client:
        for cookie in ("_ga=1", "_ga=2", "pin=1", "pin=2"):
            assert (await client.ask(get("/", f"Cookie: {cookie}"))).body == cookie.encode()
