"""Compression between a member and a client."""

import asyncio
import gzip
import os
import zlib

import brotli
import pytest
import zstandard

from adc.proxy.phases import CLIENT_WRITE
from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually
from tests.wire.cached import caching

PAGE = b"".join(b"<p class=row>line %d of the page</p>\n" % number for number in range(500))
HTML = "Content-Type: text/html"
COMPRESSED = {"compression": True}
DECODE = {
    b"gzip": gzip.decompress,
    b"br": brotli.decompress,
    b"zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}


async def ask(tmp_path, answer, request, *, compression=True, method="GET", **route):
    """The reply to `request` through a route with compression, and the member that gave `answer`."""
    mapping = {"compression": compression, **route}
    async with (
        Member(answering(answer)) as member,
        serving(tmp_path, config(member.address, route=mapping)) as proxy,
        proxy.client() as client,
    ):
        return await client.ask(request, method), member


def asking(*fields, accept="gzip", **options):
    return get("/", f"Accept-Encoding: {accept}", *fields, **options)


@pytest.mark.parametrize(
    ("accept", "coding"),
    [("gzip", b"gzip"), ("gzip, br", b"br"), ("gzip, deflate, br, zstd", b"zstd"), ("x-gzip", b"gzip")],
)
async def test_a_page_that_is_there_as_a_whole_is_coded_with_its_length(tmp_path, accept, coding):
    page = response(PAGE, HTML, 'ETag: "a"', "Accept-Ranges: bytes")
    reply, _ = await ask(tmp_path, page, asking(accept=accept))
    assert reply[b"content-encoding"] == coding
    assert DECODE[coding](reply.body) == PAGE
    assert int(reply[b"content-length"]) == len(reply.body) < len(PAGE) / 4
    assert (reply[b"etag"], reply[b"vary"]) == (b'W/"a"', b"Accept-Encoding")
    assert b"accept-ranges" not in reply


@pytest.mark.parametrize("accept", ["identity", "gzip;q=0", "deflate"])
async def test_a_client_that_takes_no_coding_of_ours_gets_plain_content_that_varies(tmp_path, accept):
    reply, _ = await ask(tmp_path, response(PAGE, HTML, 'ETag: "a"'), asking(accept=accept))
    assert reply.body == PAGE
    assert (reply[b"vary"], reply[b"etag"]) == (b"Accept-Encoding", b'"a"')
    assert b"content-encoding" not in reply


async def test_the_member_is_asked_for_plain_content_only(tmp_path):
    _, member = await ask(tmp_path, response(PAGE, HTML), asking(accept="br, gzip"))
    assert member.requests[0][b"accept-encoding"] == b"identity"


async def test_without_compression_the_member_sees_what_the_client_said(tmp_path):
    reply, member = await ask(tmp_path, response(PAGE, HTML), asking(accept="br"), compression=False)
    assert member.requests[0][b"accept-encoding"] == b"br"
    assert (reply.body, b"vary" in reply) == (PAGE, False)


@pytest.mark.parametrize(
    "fields",
    [
        ["Content-Type: image/png"],
        [HTML, "Set-Cookie: a=b"],
        [HTML, "Cache-Control: no-transform"],
        ["X-No: type"],
    ],
)
async def test_response_not_compressed_is_forwarded_unchanged(tmp_path, fields):
    reply, _ = await ask(tmp_path, response(PAGE, *fields), asking())
    assert reply.body == PAGE
    assert b"content-encoding" not in reply
    assert b"vary" not in reply


@pytest.mark.parametrize(("compression", "stages"), [(True, 1), (False, 0), ({"breach_safe": True}, 0)])
async def test_a_route_without_compression_has_no_stage_for_it(tmp_path, compression, stages):
    mapping = config("127.0.0.1:1", route={"compression": compression})
    async with serving(tmp_path, mapping) as proxy:
        (pipeline,) = proxy.worker.runtime.pipelines
        assert len(pipeline.response_stages) == stages


async def test_a_breach_safe_route_compresses_nothing(tmp_path):
    reply, _ = await ask(tmp_path, response(PAGE, HTML), asking(), compression={"breach_safe": True})
    assert (reply.body, b"vary" in reply) == (PAGE, False)


async def test_a_part_is_left_alone(tmp_path):
    part = response(PAGE[:2000], HTML, "Content-Range: bytes 0-1999/20000", status=206)
    reply, _ = await ask(tmp_path, part, asking("Range: bytes=0-1999"))
    assert (reply.status, reply.body) == (206, PAGE[:2000])
    assert b"content-encoding" not in reply


async def test_small_bodies_are_left_alone_whether_their_length_is_known_or_not(tmp_path):
    head = response(b"", HTML, "Transfer-Encoding: chunked", length=False)
    chunked = head + b"2\r\nok\r\n0\r\n\r\n"
    for number, small in enumerate((response(b"ok", HTML), chunked)):
        reply, _ = await ask(tmp_path / str(number), small, asking())
        assert reply.body == b"ok"
        assert b"content-encoding" not in reply


async def test_head_says_what_get_says(tmp_path):
    head = b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: "a"\r\nContent-Length: 20000\r\n\r\n'
    reply, _ = await ask(tmp_path, head, asking(method="HEAD"), method="HEAD")
    assert (reply[b"content-encoding"], reply[b"vary"]) == (b"gzip", b"Accept-Encoding")
    assert reply[b"etag"] == b'W/"a"'
    assert b"content-length" not in reply


async def test_a_304_names_the_weak_tag_that_the_client_asked_with(tmp_path):
    unchanged = b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'
    reply, member = await ask(tmp_path, unchanged, asking('If-None-Match: W/"a"'))
    assert (reply.status, reply[b"etag"]) == (304, b'W/"a"')
    assert member.requests[0][b"if-none-match"] == b'W/"a"'


@pytest.mark.parametrize(
    ("lines", "vary"),
    [
        (b"", b"Accept-Encoding"),
        (b"Vary: Cookie\r\n", b"Cookie, Accept-Encoding"),
        (b"Vary: accept-encoding\r\n", b"accept-encoding"),
        (b"Content-Type: text/html\r\n", b"Accept-Encoding"),
        (b"Content-Type: image/png\r\n", None),
        (b"Cache-Control: no-transform\r\n", None),
    ],
)
async def test_a_304_varies_as_the_200_does(tmp_path, lines, vary):
    unchanged = b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n' + lines + b"\r\n"
    reply, _ = await ask(tmp_path, unchanged, asking('If-None-Match: "a"'))
    assert (reply.status, reply[b"vary"] if vary else b"vary" not in reply) == (304, vary or True)


async def test_answers_made_here_are_compressed_too(tmp_path):
    mapping = config()
    mapping["routes"] = [{"name": "all", "respond": {"body": PAGE.decode()}, "compression": True}]
    async with serving(tmp_path, {**mapping, "pools": {}}) as proxy, proxy.client() as client:
        reply = await client.ask(asking())
        assert gzip.decompress(reply.body) == PAGE


@pytest.mark.parametrize("accept", ["gzip", "br", "zstd"])
async def test_every_event_is_decodable_when_it_comes(tmp_path, accept):
    def decoding():
        if accept == "gzip":
            return zlib.decompressobj(31).decompress
        if accept == "br":
            return brotli.Decompressor().process
        return zstandard.ZstdDecompressor().decompressobj().decompress

    async def events(conversation):
        await conversation.request()
        await conversation.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for number in range(3):
            await conversation.member.wanted[number].wait()
            event = b"data: %d\n\n" % number
            await conversation.send(b"%x\r\n%b\r\n" % (len(event), event))
        await conversation.send(b"0\r\n\r\n")

    member = Member(events)
    member.wanted = [asyncio.Event() for _ in range(3)]
    async with (
        member,
        serving(tmp_path, config(member.address, route=COMPRESSED)) as proxy,
        proxy.client() as client,
    ):
        decode = decoding()
        await client.send(asking(accept=accept))
        received = await client.some()
        while b"\r\n\r\n" not in received:
            received += await client.some()
        head, rest = received.split(b"\r\n\r\n", 1)
        assert f"Content-Encoding: {accept}".encode() in head
        assert rest == b""
        for number in range(3):
            member.wanted[number].set()
            size = b""
            while not size.endswith(b"\r\n"):
                size += await client.exactly(1)
            chunk = await client.exactly(int(size, 16) + 2)
            assert decode(chunk[:-2]) == b"data: %d\n\n" % number


async def test_a_large_body_is_coded_as_it_comes(tmp_path):
    body = PAGE * 100
    reply, _ = await ask(tmp_path, response(body, HTML), asking())
    assert reply[b"transfer-encoding"] == b"chunked"
    assert gzip.decompress(reply.body) == body


def coded(body, *fields):
    return response(body, HTML, "Content-Encoding: gzip", *fields)


@pytest.mark.parametrize("lines", [["GZIP\t"], [", gzip ,"], ["", "gzip"]])
async def test_a_coding_is_read_as_a_list(tmp_path, lines):
    fields = [f"Content-Encoding: {line}" for line in lines]
    reply, _ = await ask(tmp_path, response(gzip.compress(PAGE), HTML, *fields), asking(accept="br"))
    assert reply.body == PAGE


async def test_a_coding_that_the_client_takes_passes_as_it_is(tmp_path):
    encoded = gzip.compress(PAGE)
    reply, _ = await ask(tmp_path, coded(encoded, 'ETag: "a"'), asking(accept="br, gzip"))
    assert reply.body == encoded
    assert (reply[b"content-encoding"], reply[b"etag"]) == (b"gzip", b'"a"')


@pytest.mark.parametrize("fields", [[], ["Accept-Encoding: br"], ["Accept-Encoding: identity"]])
async def test_a_coding_that_the_client_does_not_take_is_decoded(tmp_path, fields):
    reply, _ = await ask(tmp_path, coded(gzip.compress(PAGE), 'ETag: "a"'), get("/", *fields))
    assert reply.body == PAGE
    assert b"content-encoding" not in reply
    assert (reply[b"vary"], reply[b"etag"]) == (b"Accept-Encoding", b'W/"a"')


async def test_content_that_must_not_be_transformed_is_not_decoded(tmp_path):
    encoded = gzip.compress(PAGE)
    reply, _ = await ask(tmp_path, coded(encoded, "Cache-Control: no-transform"), get("/"))
    assert reply.body == encoded


LAST_CHUNK = b"\r\n0\r\n\r\n"


async def test_a_bomb_is_broken_off_before_it_is_out(tmp_path):
    bomb = gzip.compress(bytes(20 << 20))
    async with (
        Member(answering(coded(bomb))) as member,
        serving(tmp_path, config(member.address, route=COMPRESSED)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/"))
        assert not (await client.rest()).endswith(LAST_CHUNK)
        assert b"Transfer-Encoding: chunked" in client.received
        assert len(client.received) < 5 << 20
        assert proxy.access_log()[0]["end_reason"] == "bad_response"


WIDE = b"".join(os.urandom(1000) * 40 for _ in range(200))
"""8 MB that compress to a fortieth."""

ENCODE = {
    "gzip": lambda data: gzip.compress(data, 6),
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": lambda data: zstandard.ZstdCompressor(level=3).compress(data),
}


@pytest.mark.parametrize("coding", ENCODE)
async def test_content_that_takes_many_steps_is_decoded_whole(tmp_path, coding):
    reply = response(ENCODE[coding](WIDE), HTML, f"Content-Encoding: {coding}")
    async with (
        Member(answering(reply)) as member,
        serving(tmp_path, config(member.address, route=COMPRESSED)) as proxy,
        proxy.client() as client,
    ):
        for _ in range(2):
            assert (await client.ask(get("/"))).body == WIDE
        assert len(member.connections) == 1


@pytest.mark.parametrize("coding", ENCODE)
async def test_a_slow_reader_stops_the_decoding(tmp_path, coding):
    reply = response(ENCODE[coding](WIDE), HTML, f"Content-Encoding: {coding}")
    async with (
        Member(answering(reply)) as member,
        serving(tmp_path, config(member.address, route=COMPRESSED)) as proxy,
        proxy.client(receive_buffer=1 << 14) as client,
    ):
        await client.send(get("/"))
        (exchange,) = await eventually(lambda: proxy.listener.service.active)
        await eventually(lambda: exchange.phase is CLIENT_WRITE)
        for _ in range(20):
            await asyncio.sleep(0)
        (connection,) = proxy.connections
        assert connection._transport.get_write_buffer_size() < 2 << 20
        assert exchange.bytes_out < len(WIDE)
        assert (await client.reply()).body == WIDE


async def test_others_are_served_while_much_is_decoded_to_nothing(tmp_path):
    hollow = coded(gzip.compress(b"") * 12_000 + gzip.compress(b"end"))
    async with (
        Member(answering(hollow)) as member,
        serving(tmp_path, config(member.address, route=COMPRESSED)) as proxy,
        proxy.client() as client,
    ):
        turns = 0

        def turn():
            nonlocal turns
            turns += 1
            if not reply.done():
                asyncio.get_running_loop().call_soon(turn)

        reply = asyncio.ensure_future(client.ask(get("/")))
        turn()
        assert (await reply).body == b"end"
        assert turns > 40  # steps, each in a loop iteration of its own


async def test_a_client_that_leaves_ends_the_decoding(tmp_path):
    reply = response(ENCODE["gzip"](WIDE), HTML, "Content-Encoding: gzip")
    async with (
        Member(answering(reply)) as member,
        serving(tmp_path, config(member.address, route=COMPRESSED)) as proxy,
    ):
        async with proxy.client(receive_buffer=1 << 14) as client:
            await client.send(get("/"))
            await client.some()
        await eventually(lambda: not proxy.listener.service.active)
        assert proxy.access_log()[0]["end_reason"] == "client_gone"


@pytest.mark.parametrize("disk", [False, True])
@pytest.mark.parametrize("coding", ENCODE)
async def test_stored_content_that_takes_many_steps_is_decoded_whole(tmp_path, coding, disk):
    encoded = ENCODE[coding](WIDE)
    reply = response(encoded, HTML, f"Content-Encoding: {coding}", "Cache-Control: max-age=100")
    async with caching(tmp_path, reply, route=COMPRESSED, disk=disk) as cached:
        for _ in range(2):
            assert (await cached.get()).body == WIDE
        assert (await cached.get("/", f"Accept-Encoding: {coding}")).body == encoded
        assert len(cached.asked) == 1


async def test_content_that_breaks_later_breaks_the_connection(tmp_path):
    async def script(conversation):
        await conversation.request()
        start = gzip.compress(PAGE)[:100]
        await conversation.send(coded(start).replace(b"Content-Length: 100", b"Content-Length: 200"))
        await conversation.member.go.wait()
        await conversation.send(b"\xff" * 100)

    member = Member(script)
    member.go = asyncio.Event()
    async with (
        member,
        serving(tmp_path, config(member.address, route=COMPRESSED)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/"))
        assert (await client.some()).startswith(b"HTTP/1.1 200")
        member.go.set()
        assert not (await client.rest()).endswith(LAST_CHUNK)
        assert b"Transfer-Encoding: chunked" in client.received
        assert proxy.access_log()[0]["end_reason"] == "bad_response"
        assert "bad_content" in proxy.error_log()
