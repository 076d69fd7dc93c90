"""Attempts to put something under a key that another client would hit."""

import asyncio

import pytest

from tests.kit.client import Client, get, post
from tests.kit.member import response
from tests.wire.cached import caching, told

FRESH = "Cache-Control: max-age=100"


def said(request):
    """A member that repeats what it was told, as a framework may that trusts such fields."""
    text = b"|".join(b": ".join(pair) for pair in request.fields)
    return response(text + request.body, FRESH)


@pytest.mark.parametrize(
    "field",
    [
        "X-Forwarded-Host: evil",
        "X-Host: evil",
        "X-Forwarded-Server: evil",
        "X-Forwarded-Scheme: evil",
        "X-HTTP-Method-Override: evil",
        "X-Rewrite-URL: /evil",
        "X-HTTP-Method-Override: EVIL",
        "Forwarded: host=evil",
    ],
)
async def test_fields_that_frameworks_build_pages_from_poison_nothing(field, tmp_path):
    async with caching(tmp_path, said) as cached:
        await cached.get("/", field)
        assert b"evil" not in (await cached.get("/")).body.lower()


async def test_an_absolute_target_counts_and_not_the_host_field_beside_it(tmp_path):
    async with caching(tmp_path, lambda request: response(request[b"host"], FRESH)) as cached:
        await cached.client.ask(get("http://evil/x", host="a"))
        assert (await cached.get("/x")).body == b"a"
        assert (await cached.get("/x", host="evil")).body == b"evil"


async def test_a_get_with_content_is_neither_stored_nor_answered_from_the_store(tmp_path):
    async with caching(tmp_path, lambda request: response(request.body or b"none", FRESH)) as cached:
        await cached.client.ask(post(b"fat", method="GET"))
        assert (await cached.get("/")).body == b"none"
        reply = await cached.client.ask(post(b"fat", method="GET"))
        assert reply.body == b"fat"
        assert "fwd=bypass" in told(reply)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "field",
    [
        "X-Host: evil",
        "X-HTTP-Method-Override: evil",
        "Authorization: evil",
        "Cache-Control: no-cache, no-store, x=evil",
    ],
)
async def test_304_and_head_store_nothing_that_a_200_could_not(field, method, tmp_path):
    def reply(request):
        said = b"|".join(value for _, value in request.fields).decode()
        fields = [FRESH, 'ETag: "a"', f"Link: <{said}>"]
        if b"if-none-match" in request and request.method == "GET":
            return response(b"", *fields, status=304, length=False)
        if request.method == "HEAD":
            return response(b"", *fields, "Content-Length: 1", length=False)
        return response(b"x", *fields)

    async with caching(tmp_path, reply) as cached:
        await cached.get("/")
        lines = [field] if field.startswith("Cache-Control") else [field, "Cache-Control: no-cache"]
        assert b"evil" in (await cached.get("/", *lines, method=method))[b"link"]
        again = await cached.get("/")
        assert b"evil" not in again[b"link"]
        assert "hit" in told(again)


@pytest.mark.parametrize("target", ["/account/x.css", "/account%2Fx.css", "/account;x.css"])
async def test_a_private_page_under_the_name_of_a_style_sheet_is_not_stored(target, tmp_path):
    async with caching(tmp_path, response(b"secret")) as cached:
        await cached.get(target, "Cookie: id=1")
        assert "hit" not in told(await cached.get(target))
        assert len(cached.asked) == 2


async def test_dot_segments_cannot_move_a_page_into_a_cached_folder(tmp_path):
    route = {"match": {"path": "/assets/"}}
    async with caching(tmp_path, response(b"x"), route=route, default_ttl="1h") as cached:
        reply = await cached.get("/assets/../account")
        assert (reply.status, cached.asked) == (404, [])


async def test_a_field_s_lines_all_belong_to_the_variant(tmp_path):
    async with caching(tmp_path, said) as cached:
        await cached.get("/", "Accept: a", "Accept: b")
    async with caching(
        tmp_path / "2", lambda r: response(b",".join(r.all(b"x-v")), FRESH, "Vary: X-V")
    ) as cached:
        await cached.get("/", "X-V: 1", "X-V: 2")
        assert (await cached.get("/", "X-V: 1")).body == b"1"
        assert (await cached.get("/", "X-V: 2")).body == b"2"


async def test_a_response_that_varies_on_who_asks_is_not_shared(tmp_path):
    def address(request):
        return response(request[b"x-forwarded-for"], FRESH, "Vary: X-Forwarded-For")

    async with caching(tmp_path, address) as cached:
        assert (await cached.get()).body == b"127.0.0.1"
        port = cached.proxy.port
        other = Client(*await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0)))
        assert (await other.ask(get())).body == b"127.0.0.2"
        other.close()


async def test_a_response_that_varies_on_too_much_is_not_stored(tmp_path):
    names = ", ".join(f"X-{number}" for number in range(40))
    async with caching(tmp_path, response(b"x", FRESH, f"Vary: {names}")) as cached:
        assert "stored" not in told(await cached.get())
        await cached.get()
        assert len(cached.asked) == 2


async def test_routes_that_the_url_does_not_tell_apart_do_not_share(tmp_path):
    route = {"match": {"headers": {"X-Beta": "1"}}}
    async with caching(tmp_path, response(b"beta", FRESH), route=route) as cached:
        assert (await cached.get("/", "X-Beta: 1")).body == b"beta"
        (entry,) = cached.store.tiers.memory._nodes
        assert entry.startswith(b"http://a/\0route=")


async def test_a_connection_field_cannot_strip_what_the_cache_goes_by(tmp_path):
    async with caching(tmp_path, response(b"x", FRESH)) as cached:
        await cached.get("/", "Cookie: a=1", "Connection: cookie, cache-control", "Cache-Control: no-store")
        await cached.get("/")
        assert len(cached.asked) == 2


async def test_trailing_garbage_of_a_member_is_not_stored(tmp_path):
    async with caching(tmp_path, response(b"x", FRESH) + b"HTTP/1.1 200 OK\r\n\r\n") as cached:
        assert (await cached.get("/")).body == b"x"
        assert (await cached.get("/")).body == b"x"
        assert (await cached.get("/other")).body == b"x"


async def test_purge_is_for_those_who_may(tmp_path):
    async with caching(tmp_path / "1", response(b"x", FRESH), purge="127.0.0.1") as cached:
        await cached.get("/a?x=1")
        reply = await cached.get("/a?x=1", method="PURGE")
        assert (reply.status, reply.body) == (200, b"purged 1\n")
        await cached.get("/a?x=1")
        assert len(cached.asked) == 2
    async with caching(tmp_path / "2", response(b"x", FRESH), purge="10.0.0.0/8") as cached:
        await cached.get("/a")
        assert (await cached.get("/a", "X-Forwarded-For: 10.0.0.1", method="PURGE")).status == 403
        assert "hit" in told(await cached.get("/a"))
    async with caching(tmp_path / "3", response(b"x", FRESH)) as cached:
        assert (await cached.get("/a", method="PURGE")).status == 405
        assert cached.asked == []
