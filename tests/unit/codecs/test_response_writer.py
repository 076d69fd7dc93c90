"""Responses to clients: one write per message, whatever the size of its content."""

import pytest

from adc.http.headers import Headers
from adc.http.message import UNKNOWN_LENGTH, Response
from tests.kit.client import get
from tests.kit.http1 import ClientSide

SIZES = pytest.mark.parametrize("size", [1, 16 << 10, (16 << 10) + 1, 200_000])


def responding(length):
    """Return a connection whose client waits for a response, and the head of one."""
    side = ClientSide(answers=False)
    side.receive(get())
    return side, side.requests[0].stream, Response(200, Headers(), b"", length, dated=True)


@SIZES
def test_whole_response_is_one_write(size):
    side, stream, head = responding(size)
    stream.send_head(head, bytes(size), True)
    side.loop.run()
    assert side.sent == b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)
    assert side.transport.writes == 1


@SIZES
def test_head_and_first_chunk_are_one_write(size):
    side, stream, head = responding(UNKNOWN_LENGTH)
    stream.send_head(head, bytes(size), False)
    side.loop.run()
    chunk = b"%x\r\n%b\r\n" % (size, bytes(size))
    assert side.sent == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk
    assert side.transport.writes == 1


@SIZES
def test_last_of_the_content_and_the_last_chunk_are_one_write(size):
    side, stream, head = responding(UNKNOWN_LENGTH)
    stream.send_head(head, b"", False)
    side.loop.run()
    before, writes = len(side.sent), side.transport.writes
    stream.send_body(bytes(size), True)
    side.loop.run()
    assert side.sent[before:] == b"%x\r\n%b\r\n0\r\n\r\n" % (size, bytes(size))
    assert side.transport.writes == writes + 1


def test_end_without_content_is_the_last_chunk():
    side, stream, head = responding(UNKNOWN_LENGTH)
    stream.send_head(head, b"a", False)
    stream.send_body(b"", True)
    side.loop.run()
    assert side.sent.endswith(b"\r\n\r\n1\r\na\r\n0\r\n\r\n")


@SIZES
def test_content_goes_out_with_the_head_that_waits(size):
    side, stream, head = responding(size)
    stream.send_head(head, b"", False)
    stream.send_body(bytes(size), True)
    side.loop.run()
    assert side.sent.endswith(b"\r\n\r\n" + bytes(size))
    assert side.transport.writes == 1


def shared_head():
    head = Response(200, Headers([(b"ETag", b'"a"')]), b"", 4)
    head.shared = True
    return head


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (get(), b""),
        (get("/", "Connection: close"), b"Connection: close\r\n"),
        (get().replace(b"HTTP/1.1", b"HTTP/1.0"), b"Connection: close\r\n"),
        (get("/", "Connection: upgrade", "Upgrade: x"), b""),
    ],
)
def test_shared_head_is_written_alike_each_time_but_for_fields_of_the_connection(asked, answered):
    head = shared_head()
    for _ in range(3):
        side = ClientSide(answers=False)
        side.receive(asked)
        side.requests[0].stream.send_head(head, b"page", True)
        side.loop.run()
        date = side.connection._settings.clock.date_line
        fields = b'ETag: "a"\r\nContent-Length: 4\r\n' + date + answered
        assert side.sent == b"HTTP/1.1 200 OK\r\n" + fields + b"\r\npage"
        assert side.transport.writes == 1


def test_shared_head_answers_head_without_content():
    head = shared_head()
    for method in ("GET", "HEAD"):
        side = ClientSide(answers=False)
        side.receive(get(method=method))
        side.requests[0].stream.send_head(head, b"page", True)
        side.loop.run()
        assert side.sent.endswith(b"\r\n\r\npage" if method == "GET" else b"\r\n\r\n")


def test_request_behind_a_shared_head_is_served():
    side, head = ClientSide(answers=False), shared_head()
    for number in range(3):
        side.receive(get(f"/{number}"))
        side.requests[number].stream.send_head(head, b"page", True)
    side.loop.run()
    assert side.sent.count(b"\r\n\r\npage") == 3
