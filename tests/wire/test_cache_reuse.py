"""Which stored responses answer a second request, over real sockets (RFC 9111 sections 3 to 5, RFC 9213)."""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from tests.kit.member import response
from tests.wire.cached import caching, date, told

FRESH = "Cache-Control: max-age=100"
OLD = f"Last-Modified: {date(-864_000)}"
NOW = f"Date: {date()}"


async def twice(folder, fields, first=(), second=(), *, status=200, methods=("GET", "GET")):
    """Whether the second of two requests was answered from the store."""
    body = b"" if status == 204 else b"first"
    async with caching(folder, response(body, *fields, status=status), response(b"second")) as cached:
        await cached.get("/a", *first, method=methods[0])
        await cached.get("/a", *second, method=methods[1])
        return len(cached.asked) == 1


REUSED = {
    "max-age": [FRESH],
    "s-maxage over max-age": ["Cache-Control: max-age=0, s-maxage=100"],
    "Expires": [f"Expires: {date(86400)}", NOW],
    "Expires without Date": [f"Expires: {date(86400)}"],
    "max-age over Expires": [f"Expires: {date(-100)}", FRESH],
    "an Age within the lifetime": [FRESH, "Age: 20"],
    "a Date ahead of our clock": [FRESH, f"Date: {date(86400)}"],
    "a directive in capitals": ["Cache-Control: MAX-AGE=100"],
    "a quoted number": ['Cache-Control: max-age="100"'],
    "a quoted directive of another": ['Cache-Control: ext="max-age=0, b", max-age=100'],
    "directives on two lines": ["Cache-Control: public", FRESH],
    "a huge number": ["Cache-Control: max-age=99999999999999999999"],
    "Pragma in a response": [FRESH, "Pragma: no-cache"],
    "private for one field": ['Cache-Control: private="x", max-age=100'],
    "must-revalidate while fresh": ["Cache-Control: max-age=100, must-revalidate"],
    "must-understand over no-store": ["Cache-Control: max-age=100, no-store, must-understand"],
    "a public cookie": [FRESH + ", public", "Set-Cookie: a=b"],
    "a cookie with s-maxage": ["Cache-Control: s-maxage=100", "Set-Cookie: a=b"],
    "a cookie with CDN-Cache-Control": ["CDN-Cache-Control: max-age=100", "Set-Cookie: a=b"],
    "heuristic freshness": [OLD, NOW],
    "CDN-Cache-Control": ["CDN-Cache-Control: max-age=100", "Cache-Control: no-store"],
    "CDN-Cache-Control that cannot be read": ["CDN-Cache-Control: max-age=(", FRESH],
}

NOT_REUSED = {
    "nothing said": [],
    "max-age=0": ["Cache-Control: max-age=0"],
    "s-maxage=0": ["Cache-Control: s-maxage=0, max-age=100"],
    "no-store": ["Cache-Control: no-store, max-age=100"],
    "no-cache": ["Cache-Control: no-cache, max-age=100"],
    "private": ["Cache-Control: private, max-age=100"],
    "Expires in the past": [f"Expires: {date(-100)}", NOW],
    "Expires: 0": ["Expires: 0", NOW],
    "an Age over the lifetime": [FRESH, "Age: 200"],
    "an old Date": [FRESH, f"Date: {date(-200)}"],
    "a fraction": ["Cache-Control: max-age=100.5"],
    "a negative number": ["Cache-Control: max-age=-100"],
    "the wrong quotes": ["Cache-Control: max-age='100'"],
    "Vary: *": [FRESH, "Vary: *"],
    "Vary with a * beside names": [FRESH, "Vary: Accept, *"],
    "a cookie with a lifetime that browsers may have": [FRESH, "Set-Cookie: a=b"],
    "a cookie with Expires": [f"Expires: {date(86400)}", "Set-Cookie: a=b"],
    "a cookie without a stated lifetime": [OLD, "Set-Cookie: a=b"],
    "CDN-Cache-Control: max-age=0": ["CDN-Cache-Control: max-age=0", FRESH],
    "CDN-Cache-Control: private": ["CDN-Cache-Control: private", FRESH],
}


@pytest.mark.parametrize("fields", REUSED.values(), ids=REUSED)
async def test_a_response_is_reused_with(fields, tmp_path):
    assert await twice(tmp_path, fields)


@pytest.mark.parametrize("fields", NOT_REUSED.values(), ids=NOT_REUSED)
async def test_a_response_is_not_reused_with(fields, tmp_path):
    assert not await twice(tmp_path, fields)


@pytest.mark.parametrize(
    "status", [200, 203, 204, 299, 301, 302, 307, 308, 400, 404, 410, 499, 500, 503, 599]
)
async def test_any_status_is_reused_while_explicitly_fresh(status, tmp_path):
    assert await twice(tmp_path, [FRESH], status=status)


@pytest.mark.parametrize("status", [203, 300, 301, 308, 404, 405, 410, 414, 501])
async def test_these_statuses_are_fresh_by_heuristic(status, tmp_path):
    assert await twice(tmp_path, [OLD, NOW], status=status)


@pytest.mark.parametrize("status", [201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 599])
async def test_these_statuses_are_not_fresh_by_heuristic(status, tmp_path):
    assert not await twice(tmp_path, [OLD, NOW], status=status)


@pytest.mark.parametrize("word", ["public", "must-revalidate", "s-maxage=100"])
async def test_authorized_responses_are_shared_when_the_origin_says_so(word, tmp_path):
    fields = [f"Cache-Control: max-age=100, {word}"]
    assert await twice(tmp_path, fields, ["Authorization: x"], ["Authorization: x"])


async def test_authorized_responses_are_not_shared_otherwise(tmp_path):
    assert not await twice(tmp_path, [FRESH], ["Authorization: x"], ["Authorization: x"])


REQUESTS = {
    "no-cache": ["Cache-Control: no-cache"],
    "max-age=0": ["Cache-Control: max-age=0"],
    "min-fresh": ["Cache-Control: min-fresh=200"],
    "Pragma": ["Pragma: no-cache"],
}


@pytest.mark.parametrize("second", REQUESTS.values(), ids=REQUESTS)
async def test_a_request_declines_a_fresh_response_by(second, tmp_path):
    assert not await twice(tmp_path, [FRESH, "Age: 1"], (), second)


async def test_cache_control_in_a_request_overrides_pragma(tmp_path):
    assert await twice(tmp_path, [FRESH], (), ["Pragma: no-cache", "Cache-Control: max-age=50"])


async def test_a_request_with_no_store_leaves_nothing_behind(tmp_path):
    assert not await twice(tmp_path, [FRESH], ["Cache-Control: no-store"])


async def test_a_stale_response_is_reused_when_the_client_accepts_it(tmp_path):
    stale = ["Cache-Control: max-age=1", "Age: 10"]
    assert await twice(tmp_path / "1", stale, (), ["Cache-Control: max-stale=1000"])
    assert await twice(tmp_path / "2", stale, (), ["Cache-Control: max-stale"])
    assert not await twice(tmp_path / "3", stale, (), ["Cache-Control: max-stale=5"])
    assert not await twice(
        tmp_path / "4", [stale[0] + ", must-revalidate", stale[1]], (), ["Cache-Control: max-stale"]
    )


VARIES = {
    "the same value": (["Foo: 1"], ["Foo: 1"], True),
    "another value": (["Foo: 1"], ["Foo: 2"], False),
    "the field left out": (["Foo: 1"], [], False),
    "the field added": ([], ["Foo: 1"], False),
    "two lines and one": (["Foo: 1", "Foo: 2"], ["Foo: 1, 2"], True),
    "spaces at commas": (["Foo: 1,2"], ["Foo: 1 ,  2"], True),
    "another order": (["Foo: 1, 2"], ["Foo: 2, 1"], False),
}


@pytest.mark.parametrize(("first", "second", "reused"), VARIES.values(), ids=VARIES)
async def test_vary_with(first, second, reused, tmp_path):
    assert await twice(tmp_path, [FRESH, "Vary: Foo"], first, second) is reused


async def test_several_variants_of_a_url_are_kept(tmp_path):
    def reply(request):
        return response(request[b"foo"], FRESH, "Vary: Foo")

    async with caching(tmp_path, reply) as cached:
        for _ in range(2):
            for value in ("1", "2", "3"):
                assert (await cached.get("/", f"Foo: {value}")).body == value.encode()
        assert len(cached.asked) == 3


async def test_head_is_answered_from_a_stored_get(tmp_path):
    assert await twice(tmp_path / "1", [FRESH], methods=("GET", "HEAD"))
    assert not await twice(tmp_path / "2", [FRESH], methods=("HEAD", "GET"))


async def test_a_reused_response_has_its_fields_an_age_and_a_reason(tmp_path):
    fields = [
        FRESH,
        "Age: 7",
        "X-Many: 1",
        "X-Many: 2",
        "Content-Language: de",
        "Connection: X-Hop",
        "X-Hop: 1",
    ]
    async with caching(tmp_path, response(b"first", *fields)) as cached:
        first = await cached.get("/a")
        again = await cached.get("/a")
    assert again.body == b"first"
    assert again.all(b"x-many") == [b"1", b"2"]
    assert again[b"content-language"] == b"de"
    assert b"x-hop" not in first
    assert b"x-hop" not in again
    assert int(again[b"age"]) in (7, 8)
    assert told(first) >= {"fwd=uri-miss", "fwd-status=200", "stored"}
    assert "hit" in told(again)
    sent, stored = (parsedate_to_datetime(each[b"date"].decode()) for each in (first, again))
    assert stored - sent in (timedelta(0), timedelta(seconds=1))  # in the same second, or in the next


async def test_the_query_and_the_host_belong_to_the_key(tmp_path):
    async with caching(tmp_path, response(b"x", FRESH)) as cached:
        for target, host in (
            ("/a", "a"),
            ("/a?", "a"),
            ("/a?b", "a"),
            ("/a", "b"),
            ("/A", "a"),
            ("/a", "a:81"),
        ):
            await cached.get(target, host=host)
        assert len(cached.asked) == 6
        await cached.get("/a", host="A")
        await cached.get("/a", host="a:80")
        assert len(cached.asked) == 6


async def test_a_route_may_leave_parameters_out_of_the_key_and_put_others_in_order(tmp_path):
    key = {"query": {"ignore": ["utm_*"], "sort": True}, "headers": ["X-Tenant"], "cookies": ["lang"]}
    async with caching(tmp_path, response(b"x", FRESH), key=key) as cached:
        await cached.get("/?b=2&a=1&utm_source=x")
        await cached.get("/?a=1&b=2")
        assert len(cached.asked) == 1
        await cached.get("/?a=1&b=2", "X-Tenant: t")
        await cached.get("/?a=1&b=2", "Cookie: lang=de; id=1")
        await cached.get("/?a=1&b=2", "Cookie: id=2; lang=de")
        assert len(cached.asked) == 3


async def test_an_answer_that_states_no_lifetime_gets_the_route_s(tmp_path):
    async with caching(tmp_path, response(b"x"), default_ttl="10m") as cached:
        await cached.get()
        assert "hit" in told(await cached.get())


async def test_negative_answers_get_the_route_s_lifetime(tmp_path):
    async with caching(tmp_path, response(b"x", status=404), negative_ttl="10s") as cached:
        await cached.get()
        assert "hit" in told(await cached.get())


async def test_cookies_with_any_stated_lifetime_are_stored_when_the_route_says_so(tmp_path):
    async with caching(tmp_path, response(b"x", FRESH, "Set-Cookie: a=b"), set_cookie="explicit") as cached:
        await cached.get()
        assert "hit" in told(await cached.get())


async def test_one_client_s_cookie_is_not_given_to_another(tmp_path):
    count = 0

    def session(request):
        nonlocal count
        count += 1
        return response(b"x", FRESH, f"Set-Cookie: session={count}")

    async with caching(tmp_path, session) as cached:
        cookies = {(await cached.get())[b"set-cookie"] for _ in range(3)}
        assert cookies == {b"session=1", b"session=2", b"session=3"}


async def test_only_if_cached_is_never_passed_on(tmp_path):
    async with caching(tmp_path, response(b"x", FRESH)) as cached:
        refused = await cached.get("/", "Cache-Control: only-if-cached")
        assert (refused.status, cached.asked) == (504, [])
        await cached.get("/")
        assert (await cached.get("/", "Cache-Control: only-if-cached")).status == 200
        assert len(cached.asked) == 1


async def test_early_hints_come_through(tmp_path):
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    async with caching(tmp_path, hints + response(b"x", FRESH)) as cached:
        assert (await cached.get()).status == 103
        assert (await cached.client.reply("GET")).body == b"x"
        assert "hit" in told(await cached.get())


async def test_the_log_says_what_the_cache_did(tmp_path):
    async with caching(tmp_path, response(b"x", FRESH)) as cached:
        await cached.get()
        await cached.get()
        await cached.get(method="POST")
        rows = cached.proxy.access_log()
    assert [row["cache"] for row in rows] == ["miss", "hit", "bypass"]
    assert [bool(row["member"]) for row in rows] == [True, False, True]
    assert [row["attempts"] for row in rows] == [1, 0, 1]
