"""Heads that httptools reads are requests to aiohttp's parser too, and the same ones."""

import asyncio
import contextlib

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from adc.codecs.http1.head_parser import HeadParser
from adc.codecs.http1.settings import Http1Settings
from adc.http.familiar import FAMILIAR
from adc.http.fields import divide
from adc.net.batch import Batch
from adc.net.clock import Clock
from adc.net.listener_state import ListenerState

LOOP = asyncio.new_event_loop()
LOOP.close()  # the parsers keep it for content, which heads do not have
LIMITS = Http1Settings(ListenerState(), Batch(LOOP), Clock(), None, None)
LIMITS.header_count = 20


def rarely(usual, others):
    """Draw one of `usual` seven times out of eight."""
    return st.integers(0, 7).flatmap(lambda n: st.sampled_from(usual if n else others))


METHODS = rarely(
    [b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"],
    [b"get", b"CONNECT", b"PRI", b"FOO", b"SOURCE", b"PROPFIND", b"DESCRIBE", b"G", b""],
)
TARGETS = rarely(
    [b"/", b"/a/b?c=d", b"/a%20b", b"/a?b#c"],
    [
        b"*",
        b"http://h/p",
        b"//x/y",
        b"/a b",
        b"/\xc3\xa9",
        b"/\xff",
        b"/\x01",
        b"/\t",
        b"a",
        b'/"<>[]{}|^`\\',
        b"/\x7f",
    ],
)
VERSIONS = rarely(
    [b" HTTP/1.1"],
    [b" HTTP/1.0", b" HTTP/1.2", b" HTTP/2.0", b" http/1.1", b"  HTTP/1.1", b" HTTP/1.1 ", b" RTSP/1.0", b""],
)
NAMES = rarely(
    [b"Host", b"host", b"User-Agent", b"Accept", b"Cookie", b"Connection", b"X-Other", b"content-type"],
    [
        *(
            b"Content-Length",
            b"content-length",
            b"Transfer-Encoding",
            b"Upgrade",
            b"Proxy-Connection",
            b"Expect",
        ),
        *(
            b"Sec-WebSocket-Key1",
            b"Keep-Alive",
            b"X_Y",
            b"X-Real-IP",
            b"X-Adc-Node",
            b"Content_Length",
            b"TE",
            b"ETag",
            b"Content-Encoding",
            b"connection",
            b"a b",
        ),
    ],
)
VALUES = rarely(
    [b"a.example", b"a.example:80", b"", b"0", b"10", b"keep-alive", b"close", b"Keep-Alive", b"chunked"],
    [
        *(
            b" ",
            b"+1",
            b"007",
            b"1, 1",
            b"18446744073709551616",
            b"gzip, chunked",
            b"Chunked",
            b"upgrade",
            b"websocket",
        ),
        *(
            b"Upgrade, close",
            b"close, keep-alive",
            b"KEEP-ALIVE",
            b"x\ty",
            b"\xff",
            b"v\x01",
            b"\x7f",
            b"x\x00y",
            b"h2c",
        ),
    ],
)
COLONS = rarely([b": "], [b":", b" : ", b":  ", b":\t", b""])
BLANKS = rarely([b""], [b" ", b"\t", b" \t "])
FIELDS = st.builds(lambda *parts: b"".join(parts), NAMES, COLONS, VALUES, BLANKS)
ENDS = rarely([b"\r\n"], [b"\n", b"\r", b"\r\n "])


@st.composite
def heads(draw):
    """Draw heads as clients send them and as they do not, up to the first blank line."""
    line = draw(METHODS) + b" " + draw(TARGETS) + draw(VERSIONS)
    fields = (
        [b"Host: a.example", *draw(st.lists(FIELDS, max_size=5))] if draw(st.booleans()) else [draw(FIELDS)]
    )
    data = draw(ENDS).join([line, *fields])
    if draw(st.sampled_from([True, False, False])):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=2)) + data[at + draw(st.integers(0, 2)) :]
    return data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def facts(parsed):
    """Return what of a head decides anything."""
    start = parsed.method, parsed.target, parsed.major, parsed.minor
    return *start, parsed.lines, parsed.should_close, parsed.upgrade


def strictly(head):
    """What aiohttp's parser reads, None if it rejects `head`."""
    try:
        return HeadParser(LIMITS).feed_strictly(head)
    except Exception:
        return None


def ordinary(parser, head):
    """What `parser` reads of `head` if that is ordinary, else None."""
    parsed = parser.feed_ordinary(head)
    if parsed is None:
        with contextlib.suppress(Exception):
            parser.feed_strictly(head)
    return parsed


@settings(max_examples=300)
@given(st.lists(heads(), min_size=1, max_size=4))
@example([b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"])
@example([b"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"])
@example([b"GET / HTTP/1.1\r\nHost: a\r\nX: y \t\r\nEmpty:\r\nConnection: close\r\n\r\n"] * 2)
@example([b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_ordinary_heads_of_one_connection_are_what_the_strict_parser_reads(several):
    parser = HeadParser(LIMITS)
    for head in several:
        parsed = ordinary(parser, head)
        event("ordinary" if parsed is not None else "left to aiohttp's parser")
        if parsed is not None:
            expected = strictly(head)
            assert expected is not None, head
            assert facts(parsed) == facts(expected)
            assert (parsed.kept, parsed.special, parsed.spoofable) == divide(expected.lines)


@pytest.mark.parametrize(
    "fields",
    [
        b"",
        b"Cookie: a=1\r\nConnection: keep-alive\r\n",
        b"sec-ch-ua: x\r\nX-Own: y\r\n",
        b"Content-Length: 12\r\nContent-Type: text/plain\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"USER-AGENT: x\r\nX-REAL-IP: 192.0.2.1\r\nX_Real_IP: 192.0.2.1\r\nKEEP_ALIVE: x\r\n",
    ],
)
def test_heads_of_browsers_are_ordinary(fields):
    head = b"POST /a?b=c HTTP/1.1\r\nHost: a.example\r\n" + fields + b"\r\n"
    assert ordinary(HeadParser(LIMITS), head) is not None


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET //a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nEtag: a\r\nETag: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key1: a\r\n\r\n",
        b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n"
        + b"".join(b"X-%d: a\r\n" % number for number in range(20))
        + b"\r\n",
    ],
)
def test_other_heads_are_left_to_the_strict_parser(head):
    assert ordinary(HeadParser(LIMITS), head) is None


def test_parts_of_a_head_are_left_to_the_strict_parser():
    parser = HeadParser(LIMITS)
    assert parser.feed_data(b"GET / HTTP/1.1\r\nHost: a\r\n") is None
    parsed = parser.feed_data(b"X: y\r\n\r\n")
    assert parsed is not None
    assert parsed.lines == [(b"Host", b"a"), (b"X", b"y")]


def test_familiar_names_differ_in_more_than_their_case():
    assert len({name.lower() for name in FAMILIAR}) == len(FAMILIAR)


@settings(max_examples=300)
@given(st.lists(heads(), min_size=1, max_size=2), st.sampled_from([b"", b"\r\n", b"\n", b"a", b"a\r\n\r\n"]))
@example([b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"] * 2, b"")
@example([b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"] * 2, b"")
@example([b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"], b"a\r\n\r\n")
def test_a_head_alone_ends_at_its_first_blank_line(several, behind):
    data = b"".join(several) + behind
    parsed = HeadParser(LIMITS).feed_alone(data) if data[-5:-4] > b"\r" else None
    event("alone" if parsed is not None else "looked for")
    if parsed is not None:
        assert data.find(b"\r\n\r\n") + 4 == len(data)
        assert facts(parsed) == facts(strictly(data))
        assert not any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in parsed.lines)
