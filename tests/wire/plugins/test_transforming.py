"""Plugins that replace response content, on real sockets: what the member is asked for, and what the client gets."""

import gzip
import re
from random import Random

import pytest
import zstandard

from adc.proxy.gate import PLUGIN
from adc.proxy.phases import CLIENT_WRITE
from tests.kit.client import chunks_of, get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually, within
from tests.wire.plugins.plugged import plugin_of, route
from tests.wire.plugins.plugged_transforms import transform_folder

TEXT = "Content-Type: text/plain"
TAG = 'ETag: "1"'
GZIP = "Content-Encoding: gzip"
BODY = b"some content " * 100
LARGE = Random(1).randbytes(2 << 20).hex().encode()
"""Content that no coding makes a hundredth of."""


@pytest.fixture
def folder(tmp_path):
    return transform_folder(tmp_path)


async def asked(folder, reply, *fields, plugins=("upper",), method="GET", **more):
    """Return what the client gets through `plugins`, and the requests that the member got."""
    async with Member(answering(*([reply] if isinstance(reply, bytes) else reply))) as member:
        settings = route(*plugins, folder=folder)
        settings["route"] |= more
        async with serving(folder, config(member.address, **settings)) as proxy, proxy.client() as client:
            return await client.ask(get("/", *fields, method=method), method), member.requests


async def test_member_is_asked_for_plain_and_whole_content(folder):
    fields = ("Accept-Encoding: gzip", "Range: bytes=0-1", 'If-Range: "1"')
    _, (request,) = await asked(folder, response(BODY, TEXT, TAG), *fields)
    assert request[b"accept-encoding"] == b"identity"
    assert b"range" not in request
    assert b"if-range" not in request


async def test_plugin_that_withdraws_in_request_head_leaves_the_request_as_it_is(folder):
    fields = ("Accept-Encoding: gzip", "Range: bytes=0-1")
    plugins = ({"upper": {"skip": "request"}},)
    _, (request,) = await asked(folder, response(BODY), *fields, plugins=plugins)
    assert (request[b"accept-encoding"], request[b"range"]) == (b"gzip", b"bytes=0-1")


@pytest.mark.parametrize("later", ["upper", "upper_later"])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_coded_content_is_decoded_before_the_plugin(folder, later, whole, coding):
    content = LARGE[: 1 << 19] if whole else LARGE
    coded = gzip.compress(content) if coding == "gzip" else zstandard.compress(content)
    reply = response(coded, TEXT, TAG, f"Content-Encoding: {coding}", "Content-MD5: x")
    got, _ = await asked(folder, reply, plugins=({later: {"whole": whole}},))
    assert got.body == content.upper()
    assert got[b"etag"] == b'W/"1"'
    assert b"content-encoding" not in got
    assert b"content-md5" not in got
    assert got.all(b"content-length") == ([str(len(content)).encode()] if whole else [])


async def test_coded_chunks_are_decoded_as_they_come(folder):
    coded = gzip.compress(BODY)
    parts = [coded[number : number + 7] for number in range(0, len(coded), 7)]
    head = response(b"", TEXT, GZIP, "Transfer-Encoding: chunked", length=False)
    got, _ = await asked(folder, head + chunks_of(*parts))
    assert got.body == BODY.upper()


@pytest.mark.parametrize("coded", [b"no gzip content", gzip.compress(BODY, mtime=0)[:-9]])
async def test_broken_coding_is_502_as_long_as_no_head_is_out(folder, coded):
    got, _ = await asked(folder, response(coded, TEXT, GZIP), plugins=({"upper": {"whole": True}},))
    assert got.status == 502


async def test_content_that_decodes_to_too_much_is_refused(folder):
    bomb = gzip.compress(b"\0" * (64 << 20))
    got, _ = await asked(folder, response(bomb, TEXT, GZIP), plugins=({"upper": {"whole": True}},))
    assert got.status in (500, 502)


async def test_decoded_content_waits_for_a_slow_client(folder):
    content = LARGE * 3
    async with Member(answering(response(gzip.compress(content, 1), TEXT, GZIP))) as member:
        settings = config(member.address, **route("upper_later", folder=folder))
        async with (
            serving(folder, settings) as proxy,
            proxy.client(receive_buffer=4096) as client,
        ):
            await client.send(get())
            active = proxy.listener.service.active
            await eventually(lambda: any(each.phase is CLIENT_WRITE for each in active))
            seen = sum(map(len, plugin_of(proxy).seen))
            assert seen < len(content) // 2
            got = await within(client.reader.readuntil(b"\r\n\r\n"))
            assert b"chunked" in got
            chunks = bytearray()
            while not chunks.endswith(b"\r\n0\r\n\r\n"):
                chunks += await within(client.reader.read(1 << 16))
            assert re.sub(rb"(\A|\r\n)[0-9a-f]+\r\n", b"", chunks) == content.upper() + b"\r\n"
            assert not any(each.response_holds & PLUGIN for each in proxy.listener.service.active)


async def test_skipped_response_stays_as_the_member_sent_it(folder):
    coded = gzip.compress(BODY)
    fields = ("Content-Type: image/png", TAG, GZIP, "Content-MD5: x", "Accept-Ranges: bytes")
    got, _ = await asked(folder, response(coded, *fields))
    assert (got.body, got[b"etag"], got[b"content-encoding"]) == (coded, b'"1"', b"gzip")
    assert (got[b"content-md5"], got[b"accept-ranges"]) == (b"x", b"bytes")
    assert got[b"content-length"] == str(len(coded)).encode()


@pytest.mark.parametrize(
    "reply", [response(BODY, TEXT, status=206), response(BODY, TEXT, "Content-Encoding: pack")]
)
async def test_content_that_cannot_be_plain_and_whole_fails_the_plugin(folder, reply):
    got, _ = await asked(folder, reply)
    assert got.status == 500
    got, _ = await asked(folder, reply, plugins=({"upper": {"on_error": "fail_open"}},))
    assert got.body == BODY


@pytest.mark.parametrize("fields", [(), (GZIP,)])
async def test_head_gets_the_fields_of_a_get(folder, fields):
    reply = response(BODY, TEXT, TAG, "Content-Digest: x", *fields).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    got, _ = await asked(folder, reply, method="HEAD")
    assert (got[b"etag"], got[b"x-upper"]) == (b'W/"1"', b"1")
    assert not {b"content-length", b"content-digest", b"content-encoding"} & {name for name, _ in got.fields}


async def test_head_of_a_skipped_response_keeps_its_length(folder):
    reply = response(BODY, "Content-Type: image/png", TAG).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    got, _ = await asked(folder, reply, method="HEAD")
    assert (got[b"etag"], got[b"content-length"]) == (b'"1"', str(len(BODY)).encode())


@pytest.mark.parametrize(
    ("condition", "tag"),
    [('If-None-Match: W/"1"', b'W/"1"'), ('If-None-Match: "1"', b'"1"'), ("If-Modified-Since: x", b'W/"1"')],
)
async def test_304_names_the_tag_that_the_client_has(folder, condition, tag):
    reply = response(b"", TEXT, TAG, status=304, length=False)
    got, _ = await asked(folder, reply, condition)
    assert (got.status, got[b"etag"], got.all(b"content-type")) == (304, tag, [])


@pytest.mark.parametrize("whole", [False, True])
async def test_range_of_a_transformed_response_gets_all_of_it(folder, whole):
    got, _ = await asked(
        folder, response(BODY, TEXT, TAG), "Range: bytes=0-1", plugins=({"upper": {"whole": whole}},)
    )
    assert (got.status, got.body, got.all(b"content-range")) == (200, BODY.upper(), [])


PNG = "Content-Type: image/png"


@pytest.mark.parametrize(
    ("asked_for", "part"),
    [("0-3", BODY[:4]), ("5-5", BODY[5:6]), ("-4", BODY[-4:]), ("100-", BODY[100:]), ("0-99999", BODY)],
)
async def test_range_is_cut_from_a_skipped_response(folder, asked_for, part):
    got, (request,) = await asked(folder, response(BODY, PNG, TAG), f"Range: bytes={asked_for}")
    assert (got.status, got.body, got[b"content-length"]) == (206, part, str(len(part)).encode())
    assert got[b"content-range"].endswith(b"/%d" % len(BODY))
    assert b"range" not in request


async def test_range_beyond_the_end_is_416(folder):
    got, _ = await asked(folder, response(BODY, PNG, TAG), "Range: bytes=9999-")
    assert (got.status, got.body, got[b"content-range"]) == (416, b"", b"bytes */%d" % len(BODY))
    assert b"content-type" not in got


@pytest.mark.parametrize(
    "fields",
    [
        (PNG, 'ETag: W/"1"'),
        (PNG,),
        (PNG, TAG, GZIP),
        (PNG, TAG, "Accept-Ranges: none"),
    ],
)
async def test_range_is_ignored_where_parts_would_not_fit_together(folder, fields):
    got, _ = await asked(folder, response(BODY, *fields), "Range: bytes=0-3")
    assert (got.status, got.body) == (200, BODY)


async def test_several_ranges_get_the_whole_content(folder):
    got, _ = await asked(folder, response(BODY, PNG, TAG), "Range: bytes=0-3,7-9")
    assert (got.status, got.body) == (200, BODY)


@pytest.mark.parametrize(("if_range", "status"), [('"1"', 206), ('"2"', 200), ('W/"1"', 200), ("x", 200)])
async def test_if_range_decides(folder, if_range, status):
    got, _ = await asked(folder, response(BODY, PNG, TAG), "Range: bytes=0-3", f"If-Range: {if_range}")
    assert got.status == status


async def test_client_gets_its_range_before_the_member_has_sent_all(folder):
    async def script(conversation):
        await conversation.request()
        head = response(b"", PNG, TAG, "Content-Length: 1000000", length=False)
        await conversation.send(head + b"abcdef")
        await conversation.rest()

    async with Member(script) as member:
        settings = config(member.address, **route("upper", folder=folder))
        async with serving(folder, settings) as proxy, proxy.client() as client:
            got = await client.ask(get("/", "Range: bytes=1-3"))
            assert (got.status, got.body) == (206, b"bcd")
            assert (await client.ask(get("/", "Range: bytes=2-2"))).body == b"c"
            assert [record["status"] for record in proxy.access_log()] == [206, 206]


@pytest.mark.parametrize("accept", ["", "gzip"])
async def test_compression_follows_the_plugin(folder, accept):
    fields = [f"Accept-Encoding: {accept}"] if accept else []
    got, (request,) = await asked(folder, response(BODY, TEXT, TAG), *fields, compression={})
    content = gzip.decompress(got.body) if accept else got.body
    assert content == BODY.upper()
    assert (got[b"etag"], got[b"vary"]) == (b'W/"1"', b"Accept-Encoding")
    assert request[b"accept-encoding"] == b"identity"


async def test_trailers_lose_digests_of_the_original(folder):
    head = response(b"", TEXT, "Transfer-Encoding: chunked", "Trailer: Digest, X-Told", length=False)
    reply = head + chunks_of(b"abc", trailers=("Digest: x", "X-Told: y"))
    got, _ = await asked(folder, reply, "TE: trailers", "Connection: te")
    assert (got.body, got.trailers) == (b"ABC", [(b"x-told", b"y")])


async def test_empty_response_keeps_its_length(folder):
    got, _ = await asked(folder, response(b"", TEXT, TAG))
    assert got[b"content-length"] == b"0"


async def test_plugins_with_cached_come_first_also_without_a_cache(folder):
    plugins = ({"appends": {"text": "1", "cached": True}}, {"appends": {"text": "2"}})
    got, _ = await asked(folder, response(b"0", TEXT), plugins=plugins)
    assert got.body == b"012"
