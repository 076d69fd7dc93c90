"""Plugins between the member and the cache, on real sockets: what is stored, and what clients get of it."""

import asyncio
import contextlib
import gzip

import pytest

from tests.kit.client import get
from tests.kit.member import response
from tests.wire.cached import caching, date, told
from tests.wire.plugins.plugged_transforms import transform_folder

TEXT = "Content-Type: text/plain"
TAG = 'ETag: "1"'
FRESH = "Cache-Control: max-age=100"
BODY = b"some content"


@contextlib.asynccontextmanager
async def cached(folder, *replies, plugins=({"upper": {"cached": True}},), more=None, **options):
    """Serve `replies` of a member through a cache and plugins before it."""
    transform_folder(folder)
    route = {"plugins": list(plugins), **(more or {})}
    top = {"plugin_paths": [str(folder / "plugins")]}
    async with caching(folder, *replies, route=route, top=top, **options) as site:
        yield site


def plugin(site, number=0):
    return site.proxy.worker.runtime.plugins.chains["all"].uses[number].plugin


def counted(*fields, status=200):
    """Replies that tell how many came before."""
    count = 0

    def reply(request):
        nonlocal count
        count += 1
        return response(b"text %d" % count, *(fields or (TEXT, TAG, FRESH)), status=status)

    return reply


async def test_result_is_stored_and_not_made_again(tmp_path):
    async with cached(tmp_path, counted()) as site:
        first, second = await site.get(), await site.get()
        assert (first.body, second.body) == (b"TEXT 1", b"TEXT 1")
        assert (first[b"etag"], second[b"etag"]) == (b'W/"1"', b'W/"1"')
        assert (first[b"x-upper"], second[b"x-upper"]) == (b"1", b"1")
        assert second[b"content-length"] == b"6"
        assert "hit" in told(second)
        assert plugin(site).calls == ["request_head", "response_head", "request_head"]


async def test_other_plugins_run_on_hits_and_misses(tmp_path):
    plugins = ({"upper": {}}, {"upper": {"cached": True}})
    async with cached(tmp_path, counted(), plugins=plugins) as site:
        assert [(await site.get())[b"x-upper"] for _ in range(3)] == [b"2", b"2", b"2"]
        assert plugin(site, 0).calls.count("response_head") == 3
        assert plugin(site, 1).calls.count("response_head") == 1


async def test_marks_keep_variants_of_a_url_apart(tmp_path):
    async with cached(tmp_path, counted()) as site:
        seen = [(await site.get("/", *fields)).body for fields in ((), ("X-Mark: a",), ("X-Mark: b",)) * 2]
        assert seen == [b"TEXT 1", b"TEXT 2a", b"TEXT 3b"] * 2
        assert len(site.asked) == 3


async def test_purge_of_the_url_removes_all_variants(tmp_path):
    async with cached(tmp_path, counted(), purge={"from": ["127.0.0.1"]}) as site:
        for mark in ("a", "b"):
            await site.get("/", f"X-Mark: {mark}")
        assert (await site.get(method="PURGE")).body == b"purged 2\n"
        assert (await site.get("/", "X-Mark: a")).body == b"TEXT 3a"


async def test_mark_is_not_confused_with_that_of_another_plugin(tmp_path):
    plugins = ({"upper": {"cached": True}}, "upper")
    async with cached(tmp_path, counted(), plugins=plugins) as site:
        await site.get("/", "X-Mark: a")
        await site.get("/", "X-Mark: aa")
        assert len(site.asked) == 2


async def test_coded_content_is_stored_plain_and_compressed_for_clients(tmp_path):
    content = BODY * 1000
    reply = response(gzip.compress(content), TEXT, TAG, FRESH, "Content-Encoding: gzip")
    async with cached(tmp_path, reply, more={"compression": {}}) as site:
        for _ in range(2):
            got = await site.get("/", "Accept-Encoding: gzip")
            assert gzip.decompress(got.body) == content.upper()
            assert got[b"vary"] == b"Accept-Encoding"
            plain = await site.get()
            assert (plain.body, plain[b"content-length"]) == (content.upper(), str(len(content)).encode())
        assert len(site.asked) == 1
        assert site.asked[0][b"accept-encoding"] == b"identity"


async def test_ranges_are_cut_from_the_stored_result(tmp_path):
    async with cached(tmp_path, response(BODY, TEXT, TAG, FRESH)) as site:
        missed = await site.get("/", "Range: bytes=0-3")
        assert (missed.status, missed.body) == (200, BODY.upper())
        assert b"range" not in site.asked[0]
        part = await site.get("/", "Range: bytes=0-3")
        assert (part.status, part.body) == (206, BODY[:4].upper())
        assert part[b"content-range"] == b"bytes 0-3/%d" % len(BODY)
        beyond = await site.get("/", "Range: bytes=99-")
        assert (beyond.status, beyond[b"content-range"]) == (416, b"bytes */%d" % len(BODY))
        assert len(site.asked) == 1


async def test_head_is_answered_from_the_stored_result(tmp_path):
    async with cached(tmp_path, counted()) as site:
        await site.get()
        head = await site.get(method="HEAD")
        assert (head[b"content-length"], head[b"etag"]) == (b"6", b'W/"1"')
        assert len(site.asked) == 1


async def test_head_on_a_miss_gets_a_head_of_the_result_and_leaves_no_trace(tmp_path):
    def reply(request):
        made = response(BODY, TEXT, TAG, FRESH)
        return made.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if request.method == "HEAD" else made

    async with cached(tmp_path, reply) as site:
        head = await site.get(method="HEAD")
        assert (head.status, head[b"etag"]) == (200, b'W/"1"')
        assert b"content-length" not in head
        assert (await site.get()).body == BODY.upper()


async def test_client_with_the_result_gets_304(tmp_path):
    async with cached(tmp_path, response(BODY, TEXT, TAG, FRESH)) as site:
        await site.get()
        got = await site.get("/", 'If-None-Match: W/"1"')
        assert (got.status, got[b"etag"]) == (304, b'W/"1"')
        assert len(site.asked) == 1


async def test_304_of_the_member_renews_the_result(tmp_path):
    stale = response(BODY, TEXT, TAG, "Cache-Control: max-age=0")
    renewed = response(b"", "Content-Type: image/png", TAG, FRESH, status=304, length=False)
    async with cached(tmp_path, stale, renewed) as site:
        await site.get()
        for _ in range(2):
            got = await site.get()
            assert (got.status, got.body) == (200, BODY.upper())
            assert (got[b"etag"], got[b"content-type"]) == (b'W/"1"', b"text/plain")
        assert len(site.asked) == 2
        assert site.asked[1][b"if-none-match"] == b'W/"1"'


async def test_304_about_another_version_is_asked_again_through_the_plugin(tmp_path):
    stale = response(BODY, TEXT, TAG, "Cache-Control: max-age=0")
    other = response(b"", 'ETag: "2"', status=304, length=False)
    newer = response(b"newer", TEXT, 'ETag: "2"', FRESH)
    async with cached(tmp_path, stale, other, newer) as site:
        await site.get()
        got = await site.get("/", "Range: bytes=0-1")
        assert (got.body, got[b"etag"]) == (b"NEWER", b'W/"2"')
        assert all(b"range" not in request for request in site.asked)


async def test_client_condition_on_a_miss_gets_the_tag_that_the_client_holds(tmp_path):
    reply = response(b"", TAG, TEXT, status=304, length=False)
    async with cached(tmp_path, reply) as site:
        got = await site.get("/", 'If-None-Match: W/"1"')
        assert (got.status, got[b"etag"]) == (304, b'W/"1"')


STALE_SOON = "Cache-Control: max-age=1, stale-while-revalidate=60"


@pytest.mark.parametrize("later", ["upper", "upper_later"])
async def test_stale_result_is_served_and_renewed_through_the_plugin(tmp_path, later):
    replies = response(b"one", TEXT, STALE_SOON, "Age: 10"), response(b"two", TEXT, FRESH)
    async with cached(tmp_path, *replies, plugins=({later: {"cached": True}},)) as site:
        assert (await site.get("/", "X-Mark: a")).body == b"ONEa"
        got = await site.get("/", "X-Mark: a", "Range: bytes=0-1")
        assert (got.status, got.body) == (206, b"ON")
        while got.body != b"TWOa":
            got = await site.get("/", "X-Mark: a")
        assert len(site.asked) == 2
        assert b"range" not in site.asked[1]


async def test_background_validation_keeps_the_result(tmp_path):
    replies = (
        response(b"one", TEXT, TAG, STALE_SOON, "Age: 10"),
        response(b"", TEXT, TAG, FRESH, status=304, length=False),
    )
    async with cached(tmp_path, *replies) as site:
        await site.get()
        got = await site.get()
        while "detail=stale-while-revalidate" in told(got):
            got = await site.get()
        assert (got.body, got[b"etag"]) == (b"ONE", b'W/"1"')
        assert len(site.asked) == 2


async def test_error_of_the_member_passes_the_plugin_and_is_not_stored(tmp_path):
    replies = response(b"sorry", TEXT, status=503), response(BODY, TEXT, TAG, FRESH)
    async with cached(tmp_path, *replies) as site:
        got = await site.get()
        assert (got.status, got.body) == (503, b"SORRY")
        assert (await site.get()).body == BODY.upper()


@pytest.mark.parametrize("fields", [(), ("Range: bytes=0-1",)])
async def test_waiting_requests_share_one_fetch(tmp_path, fields):
    release = asyncio.Event()

    async def script(conversation):
        while True:
            await conversation.request()
            await release.wait()
            await conversation.send(response(BODY, TEXT, TAG, FRESH))

    plugins = ({"upper_later": {"cached": True, "whole": True}},)
    async with cached(tmp_path, script=script, plugins=plugins) as site:
        async with contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(site.proxy.client()) for _ in range(3)]
            for client in clients:
                await client.send(get("/", *fields))
            while len(site.proxy.listener.service.active) < 4:  # three exchanges and a fetch
                await asyncio.sleep(0)
            release.set()
            replies = [await client.reply() for client in clients]
        assert all(reply.body in (BODY.upper(), BODY[:2].upper()) for reply in replies)
        assert len(site.asked) == 1
        assert plugin(site).calls.count("response_head") == 1


@pytest.mark.parametrize("later", ["upper", "upper_later"])
async def test_request_that_bypasses_the_cache_passes_the_plugin(tmp_path, later):
    plugins = ({later: {"cached": True}},)
    async with cached(tmp_path, response(BODY, TEXT, TAG), plugins=plugins) as site:
        fields = ("Content-Length: 2", "Range: bytes=0-1", "Accept-Encoding: gzip")
        got = await site.client.ask(get("/", *fields, method="POST") + b"ab")
        assert (got.body, got[b"etag"], got[b"x-upper"]) == (BODY.upper(), b'W/"1"', b"1")
        assert (site.asked[0].body, site.asked[0][b"accept-encoding"]) == (b"ab", b"identity")
        assert b"range" not in site.asked[0]


@pytest.mark.parametrize("stored", [False, True])
async def test_post_that_stands_for_a_get_is_not_stored_changed(tmp_path, stored):
    fields = (TEXT, FRESH, "Content-Location: http://a/")
    async with cached(tmp_path, counted(*fields), plugins=({"upper": {"cached": stored}},)) as site:
        await site.client.ask(get("/", "Content-Length: 0", method="POST"))
        assert (await site.get()).body == b"TEXT 2"
        assert (await site.get()).body == b"TEXT 2"


async def test_order_of_plugins_is_the_same_for_misses_hits_and_requests_that_bypass_the_cache(tmp_path):
    cached_first = {"appends": {"text": "1", "cached": True}}
    plugins = (cached_first, {"appends": {"text": "2"}}, {"appends": {"text": "3", "cached": True}})
    async with cached(tmp_path, response(b"0", TEXT, FRESH), plugins=plugins) as site:
        assert [(await site.get()).body for _ in range(2)] == [b"0312", b"0312"]
        assert (await site.get(method="OPTIONS")).body == b"0312"


@pytest.mark.parametrize("phase", ["response_head", "response_body"])
@pytest.mark.parametrize(("how", "status"), [("page", 403), ("raise", 500), ("answer", 403)])
async def test_plugin_that_answers_or_fails_in_a_fetch(tmp_path, phase, how, status):
    plugins = ({"shuts": {"phase": phase, "how": how}},)
    async with cached(tmp_path, counted(), plugins=plugins) as site:
        assert (await site.get()).status == status
        await site.get()
        assert len(site.asked) == (1 if how == "answer" else 2)


async def test_plugin_that_breaks_off_in_a_fetch_resets_its_clients(tmp_path):
    async with cached(tmp_path, counted(), plugins=({"shuts": {"how": "abort"}},)) as site:
        await site.client.send(get())
        assert not await site.client.closed()


async def test_failing_plugin_leaves_the_stale_result(tmp_path):
    replies = (
        response(BODY, TEXT, "Cache-Control: max-age=0, stale-if-error=1000"),
        response(b"boom", TEXT, FRESH),
    )
    plugins = ({"upper": {"cached": True, "whole": True}}, {"shuts": {"phase": "never"}})
    async with cached(tmp_path, *replies, plugins=plugins) as site:
        await site.get()
        object.__setattr__(plugin(site, 1).options, "phase", "response_head")
        object.__setattr__(plugin(site, 1).options, "how", "raise")
        assert (await site.get()).body == BODY.upper()


async def test_plugin_that_skips_stores_the_response_as_it_is(tmp_path):
    async with cached(tmp_path, response(BODY, "Content-Type: image/png", TAG, FRESH)) as site:
        for _ in range(2):
            got = await site.get()
            assert (got.body, got[b"etag"]) == (BODY, b'"1"')
        assert (await site.get("/", "Range: bytes=0-1", 'If-Range: "1"')).status == 206


async def test_reload_with_other_options_does_not_reuse_results(tmp_path):
    async with cached(tmp_path, counted()) as site:
        assert (await site.get()).body == b"TEXT 1"

        def edit(mapping):
            mapping["routes"][0]["plugins"] = [{"upper": {"cached": True, "whole": True}}]

        await site.proxy.change(edit)
        assert (await site.get()).body == b"TEXT 2"
        await site.proxy.change(lambda mapping: mapping["routes"][0].pop("plugins"))
        assert (await site.get()).body == b"text 3"


async def test_reload_with_other_files_does_not_reuse_results(tmp_path):
    file = tmp_path / "version"
    file.write_text("1")
    plugins = ({"versioned": {"cached": True, "word": str(file)}},)
    async with cached(tmp_path, counted(), plugins=plugins) as site:
        assert (await site.get()).body == b"TEXT 1"
        await site.proxy.change(lambda mapping: None)
        assert (await site.get()).body == b"TEXT 1"
        file.write_text("2")
        await site.proxy.change(lambda mapping: None)
        assert (await site.get()).body == b"TEXT 2"


async def test_trailers_of_a_changed_response_are_filtered_and_not_stored(tmp_path):
    head = response(b"", TEXT, FRESH, "Transfer-Encoding: chunked", "Trailer: Digest, X-Told", length=False)
    reply = head + b"3\r\nabc\r\n0\r\nDigest: x\r\nX-Told: y\r\n\r\n"
    async with cached(tmp_path, reply) as site:
        got = await site.get("/", "TE: trailers", "Connection: te")
        assert (got.body, got.trailers) == (b"ABC", [(b"x-told", b"y")])
        assert (await site.get("/", "TE: trailers", "Connection: te")).trailers == []


async def test_client_that_leaves_does_not_stop_the_plugins_of_a_fetch_that_others_want(tmp_path):
    plugins = ({"upper_later": {"cached": True}},)
    large = b"x" * 300_000
    async with cached(tmp_path, response(large, TEXT, TAG, FRESH), plugins=plugins) as site:
        async with site.proxy.client() as other:
            await other.send(get())
            other.reset()
        assert (await site.get()).body == large.upper()
        assert not site.proxy.listener.service.active


async def test_results_expire_like_responses(tmp_path):
    async with cached(tmp_path, counted(TEXT, f"Expires: {date(-10)}", f"Date: {date(-20)}")) as site:
        assert [(await site.get()).body for _ in range(2)] == [b"TEXT 1", b"TEXT 2"]
