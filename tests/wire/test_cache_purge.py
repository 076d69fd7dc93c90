"""The PURGE method names its URL itself when it comes in absolute form."""

import pytest

from tests.kit.client import get
from tests.kit.member import response
from tests.wire.cached import caching, told

PAGE = response(b"x", "Cache-Control: max-age=100")
SECURE = "X-Forwarded-Proto: https"


async def purge(cached, url, *fields):
    return (await cached.client.ask(get(url, *fields, method="PURGE", host="other"))).body


@pytest.mark.parametrize("redirects", [False, True])
async def test_purge_in_absolute_form_names_the_scheme(redirects, tmp_path):
    listener = {"trusted_proxies": ["127.0.0.1"], "redirect_to_https": redirects}
    async with caching(tmp_path, PAGE, listener=listener, purge="127.0.0.1") as cached:
        await cached.get("/x?q", SECURE)
        assert await purge(cached, "https://a/x") == b"purged 0\n"
        assert await purge(cached, "https://A:443/x?q") == b"purged 1\n"
        assert "fwd=uri-miss" in told(await cached.get("/x?q", SECURE))


async def test_purge_of_one_scheme_leaves_the_other(tmp_path):
    listener = {"trusted_proxies": ["127.0.0.1"]}
    async with caching(tmp_path, PAGE, listener=listener, purge="127.0.0.1") as cached:
        await cached.get("/x")
        await cached.get("/x", SECURE)
        assert await purge(cached, "https://a/x") == b"purged 1\n"
        assert "hit" in told(await cached.get("/x"))
        assert await purge(cached, "http://a/x") == b"purged 1\n"


async def test_other_methods_in_absolute_form_keep_the_scheme_of_the_listener(tmp_path):
    async with caching(tmp_path, PAGE) as cached:
        await cached.client.ask(get("https://a/x"))
        assert "hit" in told(await cached.get("/x"))
        assert cached.asked[0][b"x-forwarded-proto"] == b"http"


async def test_purge_in_absolute_form_is_for_those_who_may(tmp_path):
    async with caching(tmp_path, PAGE, purge="10.0.0.0/8") as cached:
        assert (await cached.client.ask(get("https://a/x", method="PURGE"))).status == 403
