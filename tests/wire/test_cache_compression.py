"""Coded forms of stored responses (contract/04: a cache and compression on one route)."""

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


async def test_ranges_are_cut_from_the_plain_form(tmp_path):
    async with caching(tmp_path, page(), route=ROUTE) as cached:
        await cached.get("/", "Accept-Encoding: br")
        reply = await cached.get("/", "Accept-Encoding: br", "Range: bytes=0-4")
        assert (reply.status, reply.body) == (206, TEXT[:5])
        assert b"content-encoding" not in reply


async def test_what_may_not_be_transformed_stays_plain(tmp_path):
    async with caching(tmp_path, page("Cache-Control: no-transform"), route=ROUTE) as cached:
        for _ in range(2):
            reply = await cached.get("/", "Accept-Encoding: br")
            assert reply.body == TEXT
