"""Coded forms of stored responses (contract/04: a cache and compression on one route)."""

import gzip
import os
import zlib

import brotli
import pytest

from adc.compression import encoders
from adc.proxy.caching import variants
from tests.kit.member import response
from tests.wire.cached import caching, told

FRESH = "Cache-Control: max-age=100"
TEXT = b"so it goes " * 1000
ROUTE = {"compression": {"encodings": ["br", "gzip"], "min_size": "1KB"}}
DECODE = {b"br": brotli.decompress, b"gzip": lambda data: zlib.decompress(data, 31)}


def page(*fields):
    return response(TEXT, FRESH, "Content-Type: text/html", 'ETag: "a"', *fields)


@pytest.fixture
def coded(monkeypatch):
    """How often content was coded for the store, by coding."""
    counts = []

    def counting(name, level):
        coding = encoders.content_coding(name, level)
        whole = coding.whole

        def counted(data):
            counts.append(name)
            return whole(data)

        coding.whole = counted
        return coding

    monkeypatch.setattr(variants, "content_coding", counting)
    return counts


async def test_a_hot_page_is_compressed_once_per_coding(coded, tmp_path):
    async with caching(tmp_path, page(), route=ROUTE) as cached:
        for _ in range(4):
            for coding in (b"br", b"gzip"):
                reply = await cached.get("/", f"Accept-Encoding: {coding.decode()}")
                assert reply[b"content-encoding"] == coding
                assert DECODE[coding](reply.body) == TEXT
                assert reply[b"etag"] == b'W/"a"'
                assert reply[b"vary"] == b"Accept-Encoding"
        plain = await cached.get("/")
        assert (plain.body, plain[b"etag"], plain[b"vary"]) == (TEXT, b'"a"', b"Accept-Encoding")
        assert b"content-encoding" not in plain
        assert len(cached.asked) == 1
        assert sorted(coded) == ["br", "gzip"]


async def test_a_coded_hit_says_so_and_has_a_length(tmp_path):
    async with caching(tmp_path, page(), route=ROUTE) as cached:
        await cached.get("/", "Accept-Encoding: br")
        reply = await cached.get("/", "Accept-Encoding: br")
        assert "hit" in told(reply)
        assert int(reply[b"content-length"]) == len(reply.body) < len(TEXT)


async def test_a_purge_takes_the_coded_forms_along(tmp_path):
    new = response(b"other " * 1000, FRESH, "Content-Type: text/html")
    async with caching(tmp_path, page(), new, route=ROUTE, purge="127.0.0.1") as cached:
        for _ in range(2):
            await cached.get("/", "Accept-Encoding: br")
        await cached.get("/", method="PURGE")
        for _ in range(2):
            reply = await cached.get("/", "Accept-Encoding: br")
            assert brotli.decompress(reply.body) == b"other " * 1000
        assert len(cached.asked) == 2


async def test_a_new_response_is_coded_anew(tmp_path):
    new = response(b"other " * 1000, FRESH, "Content-Type: text/html")
    async with caching(tmp_path, page(), new, route=ROUTE) as cached:
        for _ in range(2):
            await cached.get("/", "Accept-Encoding: br")
        await cached.get("/", "Cache-Control: no-cache")
        reply = await cached.get("/", "Accept-Encoding: br")
        assert brotli.decompress(reply.body) == b"other " * 1000


async def test_a_client_s_weak_tag_is_recognised(tmp_path):
    async with caching(tmp_path, page(), route=ROUTE) as cached:
        await cached.get("/", "Accept-Encoding: br")
        reply = await cached.get("/", "Accept-Encoding: br", 'If-None-Match: W/"a"')
        assert (reply.status, reply[b"etag"]) == (304, b'W/"a"')


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"text " * 1000, ["Content-Type: text/html"]),
        (b"text " * 1000, ["Content-Type: text/html", "Vary: Accept-Language"]),
        (gzip.compress(b"text " * 1000, mtime=0), ["Content-Type: text/html", "Content-Encoding: gzip"]),
        (b"tiny", ["Content-Type: text/html"]),
        (b"image" * 1000, ["Content-Type: image/png"]),
        (b"text " * 1000, ["Content-Type: text/html", "Cache-Control: no-transform"]),
    ],
)
@pytest.mark.parametrize("asked", [[], ["Accept-Encoding: br"], ["Accept-Encoding: gzip"]])
async def test_a_304_has_the_vary_of_the_200(tmp_path, body, fields, asked):
    async with caching(tmp_path, response(body, FRESH, 'ETag: "a"', *fields), route=ROUTE) as cached:
        for _ in range(2):
            whole = await cached.get("/", *asked)
        again = await cached.get("/", *asked, f"If-None-Match: {whole[b'etag'].decode()}")
    assert (again.status, again.all(b"vary"), again[b"etag"]) == (304, whole.all(b"vary"), whole[b"etag"])


async def test_ranges_are_cut_from_the_plain_form(tmp_path):
    async with caching(tmp_path, page(), route=ROUTE) as cached:
        await cached.get("/", "Accept-Encoding: br")
        reply = await cached.get("/", "Accept-Encoding: br", "Range: bytes=0-4")
        assert (reply.status, reply.body) == (206, TEXT[:5])
        assert b"content-encoding" not in reply


async def test_response_with_no_transform_stays_plain(tmp_path):
    async with caching(tmp_path, page("Cache-Control: no-transform"), route=ROUTE) as cached:
        for _ in range(2):
            reply = await cached.get("/", "Accept-Encoding: br")
            assert reply.body == TEXT


def zipped(body=TEXT, *fields):
    """The response of a member that compresses in spite of `Accept-Encoding: identity`."""
    return response(
        gzip.compress(body), FRESH, 'ETag: "a"', "Content-Type: text/html", "Content-Encoding: gzip", *fields
    )


@pytest.mark.parametrize("disk", [False, True])
@pytest.mark.parametrize("fields", [[], ["Accept-Encoding: br"], ["Accept-Encoding: gzip;q=0"]])
async def test_range_for_a_client_that_is_sent_decoded_content_is_of_that(fields, disk, tmp_path):
    async with caching(tmp_path, zipped(), route=ROUTE, disk=disk) as cached:
        await cached.get("/", *fields)
        for _ in range(2):
            part = await cached.get("/", *fields, "Range: bytes=2-6")
            assert (part.status, part.body) == (206, TEXT[2:7])
            assert part[b"content-range"] == b"bytes 2-6/%d" % len(TEXT)
            assert b"content-encoding" not in part
            assert (part[b"etag"], part[b"vary"]) == (b'W/"a"', b"Accept-Encoding")
        last = await cached.get("/", *fields, "Range: bytes=-3")
        assert last.body == TEXT[-3:]
        beyond = await cached.get("/", *fields, f"Range: bytes={len(TEXT)}-")
        assert (beyond.status, beyond[b"content-range"]) == (416, b"bytes */%d" % len(TEXT))
        several = await cached.get("/", *fields, "Range: bytes=0-1,4-5")
        assert several.status == 206
        assert TEXT[4:6] in several.body
        assert len(cached.asked) == 1


async def test_range_for_a_client_that_accepts_the_coding_is_of_the_coded_content(tmp_path):
    coded = zipped().partition(b"\r\n\r\n")[2]
    async with caching(tmp_path, zipped(), route=ROUTE) as cached:
        await cached.get("/")
        part = await cached.get("/", "Accept-Encoding: gzip", "Range: bytes=2-6")
        assert (part.status, part.body) == (206, coded[2:7])
        assert (part[b"content-encoding"], part[b"etag"]) == (b"gzip", b'"a"')
        assert part[b"content-range"] == b"bytes 2-6/%d" % len(coded)


@pytest.mark.parametrize("tag", ['"a"', 'W/"a"', '"b"'])
async def test_if_range_with_the_tag_of_another_form_gets_the_whole(tag, tmp_path):
    async with caching(tmp_path, zipped(), route=ROUTE) as cached:
        await cached.get("/")
        reply = await cached.get("/", "Range: bytes=2-6", f"If-Range: {tag}")
        assert (reply.status, reply.body) == (200, TEXT)


async def test_range_of_content_too_long_to_be_decoded_at_once_gets_the_whole(tmp_path):
    long = os.urandom(2 << 20)
    async with caching(tmp_path, zipped(long), route=ROUTE) as cached:
        await cached.get("/")
        reply = await cached.get("/", "Range: bytes=2-6")
        assert (reply.status, reply.body) == (200, long)


async def test_range_of_what_may_not_be_transformed_is_of_the_coded_content(tmp_path):
    reply = zipped(TEXT, "Cache-Control: no-transform, max-age=100")
    async with caching(tmp_path, reply, route=ROUTE) as cached:
        await cached.get("/")
        part = await cached.get("/", "Range: bytes=2-6")
        assert (part.status, part[b"content-encoding"]) == (206, b"gzip")


async def test_coding_written_as_a_list_is_taken_off(tmp_path):
    reply = zipped().replace(b"Content-Encoding: gzip", b"Content-Encoding: , GZip ,")
    async with caching(tmp_path, reply, route=ROUTE) as cached:
        assert (await cached.get("/")).body == TEXT
        assert (await cached.get("/", "Range: bytes=0-1")).body == TEXT[:2]
