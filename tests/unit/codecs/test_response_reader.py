"""A connection to a member without sockets: each response whole, byte by byte, and with unsolicited bytes behind."""

import pytest

from adc.pools.errors import Failure
from tests.kit.http1 import CUTS, MEMBER_WAYS, MemberSide, request, with_unsolicited

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
RESPONSES = {
    "a length": (OK + b"Content-Length: 3\r\n\r\nabc", 200, b"abc"),
    "no content": (OK + b"Content-Length: 0\r\n\r\n", 200, b""),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "304 with a length": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b""),
    "chunks": (CHUNKED + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200, b"abc"),
    "odd chunks": (CHUNKED + b"02 ;\xff\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200, b"abc"),
    "interim responses": (
        b"HTTP/1.1 103 Hints\r\nLink: a\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        + OK
        + b"Content-Length: 1\r\n\r\na",
        200,
        b"a",
    ),
    "an odd head": (b"HTTP/1.1 200 OK\nX : a\nContent-Length: 3\n\nabc", 200, b"abc"),
    "an odd head and chunks": (
        b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\r\nabc\r\n0\r\n\r\n",
        200,
        b"abc",
    ),
}


@MEMBER_WAYS
@pytest.mark.parametrize(("data", "status", "body"), RESPONSES.values(), ids=RESPONSES)
def test_response_is_read_however_its_bytes_arrive(feed, data, status, body):
    side = MemberSide()
    feed(side, data)
    seen = side.receiver
    assert (seen.head.status, seen.body, seen.complete, seen.failure) == (status, body, True, None)
    assert side.link.idle == (feed is not with_unsolicited)


@MEMBER_WAYS
def test_response_to_head_has_no_content_whatever_its_length(feed):
    side = MemberSide(request("HEAD"))
    feed(side, OK + b"Content-Length: 9\r\n\r\n")
    assert (side.receiver.head.body_length, side.receiver.body, side.receiver.complete) == (9, b"", True)


@CUTS
def test_response_without_framing_ends_with_the_connection(feed):
    side = MemberSide()
    feed(side, OK + b"\r\nabc")
    assert not side.receiver.complete
    side.end()
    assert (side.receiver.body, side.receiver.complete) == (b"abc", True)


BROKEN = {
    "nothing": (b"", Failure.RESET),
    "half a head": (OK[:-1], Failure.HEAD_INCOMPLETE),
    "half a body": (OK + b"Content-Length: 3\r\n\r\na", Failure.BODY_INCOMPLETE),
    "half a chunk": (CHUNKED + b"2\r\na", Failure.BODY_INCOMPLETE),
    "no last chunk": (CHUNKED + b"1\r\na\r\n", Failure.BODY_INCOMPLETE),
}


@CUTS
@pytest.mark.parametrize(("data", "failure"), BROKEN.values(), ids=BROKEN)
def test_response_that_ends_too_early_fails_by_how_far_it_came(feed, data, failure):
    side = MemberSide()
    feed(side, data)
    side.end()
    assert (side.receiver.failure, side.receiver.complete) == (failure, False)


MALFORMED = {
    "no HTTP": b"SSH-2.0-OpenSSH\r\n",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "another coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "a huge length": OK + b"Content-Length: 9223372036854775808\r\n\r\n",
    "an unsolicited switch": b"HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
}


@CUTS
@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_malformed_head_fails_the_attempt_and_closes(feed, data):
    side = MemberSide()
    feed(side, data)
    assert (side.receiver.failure, side.transport.ended) == (Failure.PROTOCOL_ERROR, "abort")


def test_unsolicited_bytes_on_an_idle_connection_close_it():
    side = MemberSide()
    side.receive(OK + b"Content-Length: 0\r\n\r\n")
    assert side.link.idle == 1
    side.receive(b"HTTP/1.1 408 Timeout\r\n\r\n")
    assert (side.link.idle, side.transport.ended) == (0, "abort")


def test_connection_is_used_again_and_told_to_be():
    side = MemberSide()
    for body in (b"a", b"b"):
        side.receive(OK + b"Content-Length: 1\r\n\r\n" + body)
        assert side.receiver.body == body
        side.send(request())
    side.end()
    assert side.receiver.failure is Failure.STALE_CONNECTION


LONG = bytes(200_000)
LONG_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n"


@pytest.mark.parametrize("first", [0, 1, 150_000, 199_999])
@pytest.mark.parametrize("read", [1_000, 64_000, 200_000])
def test_long_content_is_counted_and_the_connection_used_again(first, read):
    side = MemberSide()
    side.receive(LONG_HEAD + LONG[:first])
    for start in range(first, len(LONG), read):
        assert not side.receiver.complete
        side.receive(LONG[start : start + read])
    assert (side.receiver.body, side.receiver.complete) == (LONG, True)
    side.send(request())
    side.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
    assert (side.receiver.body, side.receiver.complete) == (b"x", True)
    assert not side.transport.ended


def test_bytes_behind_long_content_close_the_connection():
    side = MemberSide()
    side.receive(LONG_HEAD)
    side.receive(LONG + b"HTTP/1.1 500 Unsolicited\r\n\r\n")
    assert (side.receiver.body, side.receiver.complete) == (LONG, True)
    assert side.transport.ended == "close"


def test_long_content_that_ends_too_early_is_incomplete():
    side = MemberSide()
    side.receive(LONG_HEAD)
    side.receive(LONG[1:])
    side.end()
    assert side.receiver.failure is Failure.BODY_INCOMPLETE


def test_content_until_the_connection_closes_comes_in_any_reads():
    side = MemberSide()
    side.receive(b"HTTP/1.1 200 OK\r\n\r\na")
    side.receive(LONG)
    side.receive(b"z")
    side.end()
    assert (side.receiver.body, side.receiver.complete) == (b"a" + LONG + b"z", True)
