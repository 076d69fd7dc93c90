"""A client's connection without sockets: each stream whole, byte by byte, and with a further request behind."""

import pytest

from tests.kit.client import chunked, get, post
from tests.kit.http1 import WAYS, ClientSide

STREAMS = {
    "no content": (get("/a"), [("/a", b"")]),
    "a length": (post(b"abc", target="/a"), [("/a", b"abc")]),
    "chunks": (chunked(b"ab", b"c", target="/a"), [("/a", b"abc")]),
    "chunks with trailers": (chunked(b"a", trailers=["X: 1"], target="/a"), [("/a", b"a")]),
    "blank lines": (b"\r\n\r\n" + get("/a") + b"\r\n" + get("/b"), [("/a", b""), ("/b", b"")]),
    "an unknown method": (get("/a", method="LIST"), [("/a", b"")]),
    "HTTP/1.7": (get("/a", version="1.7"), [("/a", b"")]),
    "a repeated field": (get("/a", "ETag: 1", "ETag: 2"), [("/a", b"")]),
    "a pipeline": (
        get("/a") + post(b"\r\n\r\n", target="/b") + chunked(b"x", target="/c") + get("/d", method="HEAD"),
        [("/a", b""), ("/b", b"\r\n\r\n"), ("/c", b"x"), ("/d", b"")],
    ),
}


@WAYS
@pytest.mark.parametrize(("data", "expected"), STREAMS.values(), ids=STREAMS)
def test_requests_are_read_however_their_bytes_arrive(feed, data, expected):
    side = ClientSide()
    feed(side, data)
    assert [(each.target, each.body) for each in side.requests] == expected
    assert all(each.complete for each in side.requests)
    assert side.refused == []


REFUSED = {
    "no version": (b"GET /\r\n\r\n", 400),
    "a blank before the colon": (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "length and chunks": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "a large target": (get("/" + "x" * 9000), 414),
    "a large header": (get("/", "X: " + "y" * 40_000), 431),
    "many fields": (get("/", *["X: y"] * 200), 431),
}


@WAYS
@pytest.mark.parametrize(("data", "status"), REFUSED.values(), ids=REFUSED)
def test_malformed_heads_are_refused_however_their_bytes_arrive(feed, data, status):
    side = ClientSide()
    feed(side, data)
    assert [refused.status for refused in side.refused] == [status]
    assert (side.requests, side.transport.ended) == ([], "eof")


@WAYS
@pytest.mark.parametrize("size", ["g", "-1", "1 1", "", "0x1"])
def test_malformed_chunks_end_the_exchange_and_the_connection(feed, size):
    side = ClientSide()
    feed(side, get("/a", "Transfer-Encoding: chunked", method="POST") + f"1\r\nx\r\n{size}\r\n".encode())
    refused = [*side.refused, *[each.refused for each in side.requests]]
    assert [each.status for each in refused] == [400]
    assert side.transport.ended == "eof"


def test_pipelined_request_waits_unparsed_while_a_response_is_due():
    side = ClientSide(answers=False)
    side.receive(get("/a") + get("/b"))
    assert [each.target for each in side.requests] == ["/a"]
    assert not side.transport.reading
    side.requests[0].answer()
    side.loop.run()
    assert [each.target for each in side.requests] == ["/a", "/b"]
    assert side.transport.reading
