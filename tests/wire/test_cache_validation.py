"""Validation, conditional requests, what updates or outdates what is stored (RFC 9111 sections 4.3, 4.4)."""

import asyncio
import time

import pytest

from tests.kit.client import get, post
from tests.kit.member import response
from tests.kit.waiting import eventually
from tests.wire.cached import caching, date, numbered, told

FRESH = "Cache-Control: max-age=100"
STALE = "Cache-Control: max-age=1"
OLD = "Age: 10"
TAG = 'ETag: "a"'
MODIFIED = f"Last-Modified: {date(-1000)}"
CONFIRMED = b"HTTP/1.1 304 Not Modified\r\n%b\r\n"


def confirmed(*fields):
    return CONFIRMED % b"".join(line.encode() + b"\r\n" for line in fields)


@pytest.mark.parametrize(
    ("stored", "asked", "status"),
    [
        ('"a"', '"a"', 304),
        ('"a"', 'W/"a"', 304),
        ('W/"a"', '"a"', 304),
        ('"a"', '"b", "a"', 304),
        ('"a"', '"b" , "a"', 304),
        ('"a"', "*", 304),
        ('"a"', '"b"', 200),
        ('"a, b"', '"a, b"', 304),
        ('"a"', "a", 200),
    ],
)
async def test_if_none_match_is_answered_from_the_store(stored, asked, status, tmp_path):
    async with caching(tmp_path, response(b"x", FRESH, f"ETag: {stored}")) as cached:
        await cached.get()
        again = await cached.get("/", f"If-None-Match: {asked}")
    assert again.status == status
    assert len(cached.asked) == 1
    assert again[b"etag"] == stored.encode()
    assert b"age" in again


async def test_if_modified_since_is_answered_from_the_store(tmp_path):
    async with caching(tmp_path, response(b"x", FRESH, MODIFIED)) as cached:
        await cached.get()
        assert (await cached.get("/", f"If-Modified-Since: {date(-1000)}")).status == 304
        assert (await cached.get("/", f"If-Modified-Since: {date(-5)}")).status == 304
        assert (await cached.get("/", f"If-Modified-Since: {date(-2000)}")).status == 200
        both = ['If-None-Match: "b"', f"If-Modified-Since: {date(-5)}"]
        assert (await cached.get("/", *both)).status == 200
        assert len(cached.asked) == 1


async def test_conditions_of_a_client_reach_the_member_when_nothing_is_stored(tmp_path):
    async with caching(tmp_path, confirmed(TAG)) as cached:
        reply = await cached.get("/", 'If-None-Match: "a"')
    assert reply.status == 304
    assert cached.asked[0][b"if-none-match"] == b'"a"'


async def test_a_stale_response_is_validated_with_both_validators(tmp_path):
    first = response(b"x", STALE, OLD, TAG, MODIFIED)
    async with caching(tmp_path, first, confirmed(FRESH, TAG)) as cached:
        await cached.get()
        again = await cached.get()
        assert (again.status, again.body) == (200, b"x")
        assert told(again) >= {"fwd=stale", "fwd-status=304"}
        assert cached.asked[1][b"if-none-match"] == b'"a"'
        assert cached.asked[1][b"if-modified-since"] == MODIFIED.partition(": ")[2].encode()
        assert "hit" in told(await cached.get())
        assert cached.proxy.access_log()[1]["cache"] == "revalidated"


async def test_a_304_updates_the_stored_fields(tmp_path):
    first = response(b"x", STALE, OLD, TAG, "X-A: 1", "X-B: 1", "Content-Type: text/a")
    second = confirmed(
        FRESH, TAG, "X-A: 2", "X-C: 2", "Content-Type: text/b", "Content-Length: 77", "Set-Cookie: c=1"
    )
    async with caching(tmp_path, first, second) as cached:
        await cached.get()
        again = await cached.get()
        later = await cached.get()
    assert again[b"set-cookie"] == b"c=1"
    assert b"set-cookie" not in later
    for reply in (again, later):
        assert reply[b"x-a"] == b"2"
        assert reply[b"x-b"] == b"1"
        assert reply[b"x-c"] == b"2"
        assert reply[b"content-type"] == b"text/b"
        assert reply[b"content-length"] == b"1"


@pytest.mark.parametrize("size", [1, 3_000_000])
@pytest.mark.parametrize("memory", ["8MB", "0B"])
async def test_a_304_that_forbids_storing_is_answered_from_what_was_stored(memory, size, tmp_path):
    first, last = response(b"x" * size, STALE, OLD, TAG), response(b"y", FRESH)
    said = confirmed("Cache-Control: no-store", TAG)
    async with caching(tmp_path, first, said, last, store={"memory": memory}) as cached:
        await cached.get()
        again = await cached.get()
        assert (again.status, again.body) == (200, b"x" * size)
        assert (await cached.get()).body == b"y"


async def test_a_304_that_adds_vary_ends_the_sharing(tmp_path):
    said = confirmed(FRESH, TAG, "Vary: L")
    async with caching(tmp_path, response(b"x", FRESH, TAG), said, response(b"y", FRESH)) as cached:
        await cached.get("/", "L: 1")
        assert (await cached.get("/", "L: 1", "Cache-Control: no-cache")).body == b"x"
        assert (await cached.get("/", "L: 1")).body == b"x"
        assert (await cached.get("/", "L: 2")).body == b"y"
        assert len(cached.asked) == 3


async def test_a_reloaded_response_with_another_vary_takes_the_place_of_the_old_one(tmp_path):
    first = response(b"x", FRESH, "Vary: L", f"Date: {date(-1)}")
    async with caching(tmp_path, first, response(b"y", FRESH, f"Date: {date(-9)}")) as cached:
        await cached.get("/", "L: 1")
        await cached.get("/", "L: 1", "Cache-Control: no-cache")
        assert (await cached.get("/", "L: 1")).body == b"y"
        assert len(cached.asked) == 2


async def test_a_304_of_something_else_is_followed_by_a_plain_request(tmp_path):
    first = response(b"x", STALE, OLD, TAG)
    async with caching(tmp_path, first, confirmed('ETag: "b"'), response(b"new", FRESH)) as cached:
        await cached.get()
        again = await cached.get()
        assert again.body == b"new"
        assert b"if-none-match" not in cached.asked[2]
        assert (await cached.get()).body == b"new"
        assert len(cached.asked) == 3


async def test_a_client_s_condition_is_answered_after_validation(tmp_path):
    async with caching(tmp_path, response(b"x", STALE, OLD, TAG), confirmed(FRESH, TAG)) as cached:
        await cached.get()
        again = await cached.get("/", 'If-None-Match: "other", "a"')
        assert again.status == 304
        assert cached.asked[1][b"if-none-match"] == b'"a"'


async def test_a_new_response_takes_the_place_of_a_stale_one(tmp_path):
    async with caching(
        tmp_path, response(b"x", STALE, OLD, TAG), response(b"y", FRESH, 'ETag: "b"')
    ) as cached:
        await cached.get()
        assert (await cached.get()).body == b"y"
        assert (await cached.get()).body == b"y"
        assert len(cached.asked) == 2


async def test_response_no_longer_storable_outdates_the_stored_one(tmp_path):
    replies = response(b"x", FRESH, TAG), response(b"y", "Cache-Control: no-store"), response(b"z")
    async with caching(tmp_path, *replies) as cached:
        await cached.get()
        assert (await cached.get("/", "Cache-Control: no-cache")).body == b"y"
        assert (await cached.get()).body == b"z"


async def test_no_cache_is_validated_each_time(tmp_path):
    first = response(b"x", "Cache-Control: no-cache", TAG)
    async with caching(tmp_path, first, confirmed("Cache-Control: no-cache", TAG)) as cached:
        for _ in range(3):
            assert (await cached.get()).body == b"x"
        assert len(cached.asked) == 3
        assert [b"if-none-match" in request for request in cached.asked] == [False, True, True]


async def test_must_revalidate_is_504_when_the_member_fails(tmp_path):
    first = response(b"x", "Cache-Control: max-age=1, must-revalidate", OLD, TAG)
    async with caching(tmp_path, first, None, stale_if_error="1h") as cached:
        await cached.get()
        assert (await cached.get()).status == 504


@pytest.mark.parametrize("failure", [None, response(b"no", status=500), response(b"no", status=503)])
async def test_a_stale_response_stands_in_for_a_member_that_fails(failure, tmp_path, monkeypatch):
    first = response(b"x", STALE, TAG)
    async with caching(tmp_path, first, failure, stale_if_error="1h") as cached:
        await cached.get()
        began = time.time
        monkeypatch.setattr(time, "time", lambda: began() + 10)
        again = await cached.get()
        assert (again.status, again.body) == (200, b"x")
        assert "fwd=stale" in told(again)
        assert int(again[b"age"]) >= 10
        assert cached.proxy.access_log()[1]["cache"] == "stale"
        assert cached.store.counters.stale == 1


@pytest.mark.parametrize(
    ("first", "status"),
    [
        ([STALE, OLD], 503),
        (["Cache-Control: max-age=1, stale-if-error=60", OLD], 200),
        (["Cache-Control: max-age=1, stale-if-error=5", OLD], 503),
        (["Cache-Control: max-age=1, stale-if-error=60, must-revalidate", OLD], 503),
        (["Cache-Control: s-maxage=1, stale-if-error=60", OLD], 200),
    ],
)
async def test_stale_if_error_of_the_response(first, status, tmp_path):
    async with caching(tmp_path, response(b"x", TAG, *first), response(b"no", status=503)) as cached:
        await cached.get()
        assert (await cached.get()).status == status


async def test_other_errors_are_passed_on_in_place_of_a_stale_response(tmp_path):
    first = response(b"x", STALE + ", stale-if-error=60", OLD, TAG)
    async with caching(tmp_path, first, response(b"no", status=404)) as cached:
        await cached.get()
        assert (await cached.get()).status == 404


async def test_a_stale_response_is_served_while_it_is_validated(tmp_path):
    first = response(b"x", STALE + ", stale-while-revalidate=60", OLD, TAG)
    async with caching(tmp_path, first, response(b"y", FRESH)) as cached:
        await cached.get()
        again = await cached.get("/", "Range: bytes=0-0")
        assert (again.status, again.body) == (206, b"x")
        assert "hit" in told(again)
        await eventually(lambda: len(cached.asked) == 2 and not cached.store.refreshing)
        assert cached.asked[1][b"if-none-match"] == b'"a"'
        assert b"range" not in cached.asked[1]
        assert (await cached.get()).body == b"y"
        assert len(cached.asked) == 2


async def test_one_validation_in_the_background_at_a_time(tmp_path):
    asked, go = [], asyncio.Event()

    async def script(conversation):
        asked.append(await conversation.request())
        await conversation.send(response(b"x", STALE + ", stale-while-revalidate=60", OLD, TAG))
        asked.append(await conversation.request())
        await go.wait()
        await conversation.send(confirmed(FRESH, TAG))
        await conversation.rest()

    async with caching(tmp_path, script=script) as cached:
        for _ in range(5):
            assert (await cached.get()).body == b"x"
        await eventually(lambda: len(asked) == 2)
        go.set()
        await eventually(lambda: not cached.store.refreshing)
        assert cached.store.users == 0


async def test_a_background_validation_that_fails_leaves_the_entry(tmp_path):
    first = response(b"x", STALE + ", stale-while-revalidate=60", OLD, TAG)
    async with caching(tmp_path, first, None) as cached:
        for _ in range(3):
            assert (await cached.get()).body == b"x"
            await eventually(lambda: not cached.store.refreshing)


UNSAFE = ["POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "LIST", "get"]


@pytest.mark.parametrize("method", UNSAFE)
async def test_an_unsafe_method_outdates_its_target(method, tmp_path):
    async with caching(tmp_path, numbered(FRESH)) as cached:
        await cached.get("/a?x")
        await cached.client.ask(post(b"data", target="/a?x", method=method))
        assert (await cached.get("/a?x")).body == b"body 3"


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "HEAD"])
async def test_a_safe_method_outdates_nothing(method, tmp_path):
    async with caching(tmp_path, numbered(FRESH)) as cached:
        await cached.get("/a")
        if method == "GET":
            await cached.client.ask(post(b"fat", target="/a", method="GET"))
        else:
            await cached.client.send(get("/a", method=method))
            await cached.client.reply(method)
        assert (await cached.get("/a")).body == b"body 1"


@pytest.mark.parametrize(
    ("status", "outdated"), [(200, True), (204, True), (303, True), (404, False), (500, False)]
)
async def test_only_success_outdates(status, outdated, tmp_path):
    done = response(b"", status=status, length=status != 204)
    replies = response(b"1", FRESH), done, response(b"2", FRESH)
    async with caching(tmp_path, *replies) as cached:
        await cached.get("/a")
        await cached.get("/a", method="DELETE")
        assert ((await cached.get("/a")).body == b"2") is outdated


@pytest.mark.parametrize("name", ["Location", "Content-Location"])
@pytest.mark.parametrize(
    ("place", "outdated"), [("/b", True), ("b", True), ("http://a/b", True), ("http://other/b", False)]
)
async def test_an_unsafe_method_outdates_what_it_names_on_its_own_origin(name, place, outdated, tmp_path):
    replies = response(b"1", FRESH), response(b"ok", f"{name}: {place}", status=201), response(b"2", FRESH)
    async with caching(tmp_path, *replies) as cached:
        await cached.get("/b")
        await cached.get("/a", method="POST")
        assert ((await cached.get("/b")).body == b"2") is outdated


async def test_every_variant_is_outdated(tmp_path):
    async with caching(tmp_path, numbered(FRESH, "Vary: X")) as cached:
        await cached.get("/", "X: 1")
        await cached.get("/", "X: 2")
        await cached.get("/", method="POST")
        await cached.get("/", "X: 1")
        await cached.get("/", "X: 2")
        assert len(cached.asked) == 5


async def test_a_head_that_differs_outdates_the_stored_get(tmp_path):
    head = response(b"", FRESH, 'ETag: "b"', length=False)[:-2] + b"Content-Length: 1\r\n\r\n"
    async with caching(tmp_path, response(b"x", FRESH, TAG), head, response(b"y", FRESH)) as cached:
        await cached.get("/")
        await cached.get("/", "Cache-Control: no-cache", method="HEAD")
        assert (await cached.get("/")).body == b"y"


async def test_a_head_that_agrees_refreshes_the_stored_get(tmp_path):
    head = response(b"", FRESH, TAG, "X-New: 1", length=False)[:-2] + b"Content-Length: 1\r\n\r\n"
    async with caching(tmp_path, response(b"x", STALE, OLD, TAG), head) as cached:
        await cached.get("/")
        await cached.get("/", method="HEAD")
        again = await cached.get("/")
        assert (again.body, again[b"x-new"]) == (b"x", b"1")
        assert len(cached.asked) == 2


async def test_a_post_that_says_what_a_get_would_be_given_is_stored(tmp_path):
    async with caching(tmp_path, response(b"made", FRESH, "Content-Location: /a")) as cached:
        await cached.client.ask(post(b"data", target="/a"))
        again = await cached.get("/a")
        assert (again.body, len(cached.asked)) == (b"made", 1)


FAILED = {'detail="member closed"', 'detail="member reset"'}


async def test_an_error_page_says_that_the_cache_had_to_ask(tmp_path):
    async with caching(tmp_path, None) as cached:
        reply = await cached.get()
        assert (reply.status, told(reply) & {"fwd=uri-miss", *FAILED}) == (502, told(reply))
        assert len(told(reply)) == 2


async def test_an_error_page_in_place_of_what_may_not_be_served_stale_says_so(tmp_path):
    first = response(b"x", "Cache-Control: max-age=1, must-revalidate", OLD, TAG)
    async with caching(tmp_path, first, None) as cached:
        await cached.get()
        reply = await cached.get()
        assert (reply.status, told(reply) & {"fwd=stale", *FAILED}) == (504, told(reply))
        assert len(told(reply)) == 2
