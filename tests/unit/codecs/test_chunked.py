"""Chunked content: each stream is decoded whole, byte by byte, and with bytes of the next request behind it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.codecs.http1.chunked import CHUNKS_PER_STEP, ChunkedContent
from adc.codecs.refused import Refused
from tests.kit.client import chunks_of

NEXT = b"GET / HTTP/1.1\r\n\r\n"


def decode(data, header_bytes=1024, header_count=10):
    """(content, bytes used) of `data`, in as many steps as it takes."""
    chunked = ChunkedContent(header_bytes, header_count)
    content, start = b"", 0
    while start < len(data) and not chunked.ended:
        start = chunked.read(data, start)
        content += chunked.take()
    assert chunked.ended
    return content, start


def decode_bytewise(data, header_bytes=1024, header_count=10):
    chunked = ChunkedContent(header_bytes, header_count)
    content = b""
    for position in range(len(data)):
        assert chunked.read(data[position : position + 1], 0) == 1
        content += chunked.take()
        if chunked.ended:
            return content, position + 1
    raise AssertionError("it does not end")


WELL_FORMED = {
    "empty": (b"0\r\n\r\n", b""),
    "two chunks": (b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", b"abc0123456789"),
    "line ends as data": (b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n"),
    "leading zeros": (b"0003\r\nabc\r\n000\r\n\r\n", b"abc"),
    "extensions": (b'3;a=b;c="d e"\r\nabc\r\n0;x\r\n\r\n', b"abc"),
    "blanks before an extension": (b"3 ;a\r\nabc\r\n3\t \t; a = b\r\ndef\r\n0 ;x\r\n\r\n", b"abcdef"),
    "trailers": (b"1\r\na\r\n0\r\nX-T: 1\r\nX-Empty:\r\n\r\n", b"a"),
}


@pytest.mark.parametrize(("data", "content"), WELL_FORMED.values(), ids=WELL_FORMED)
@pytest.mark.parametrize("read", [decode, decode_bytewise])
@pytest.mark.parametrize("behind", [b"", NEXT], ids=["alone", "followed"])
def test_well_formed_content_is_decoded_up_to_its_end(data, content, read, behind):
    assert read(data + behind) == (content, len(data))


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=20), st.integers(0, 400))
def test_every_cut_gives_the_same_content(pieces, cut):
    data = chunks_of(*pieces, trailers=["X-T: 1"])
    chunked = ChunkedContent(1024, 10)
    chunked.read(data[:cut], 0)
    if cut < len(data):
        chunked.read(data[cut:], 0)
    assert chunked.ended
    assert chunked.take() == b"".join(pieces)


MALFORMED = {
    "no size": b"\r\n",
    "a word": b"x\r\n",
    "a sign": b"+3\r\n",
    "a prefix": b"0x3\r\n",
    "an underscore": b"1_0\r\n",
    "a blank before": b" 3\r\n",
    "a blank behind": b"3 \r\n",
    "a tab behind": b"3\t\r\n",
    "an extension without its semicolon": b"3 a\r\n",
    "17 digits": b"00000000000000003\r\n",
    "bare LF": b"3\nabc\r\n",
    "bare CR": b"3\rabc\r\n",
    "CR before the extension": b"3\r;a\r\nabc\r\n",
    "CR CR LF": b"3\r\r\nabc\r\n",
    "NUL in an extension": b"3;a\x00\r\n",
    "CR in an extension": b"3;a\rb\r\n",
    "data that is too long": b"3\r\nabcd\r\n",
    "data without its CRLF": b"3\r\nabc0\r\n\r\n",
    "data ended by LF": b"3\r\nabc\n",
    "last chunk ended by LF": b"0\r\n\n",
    "trailer without a name": b"0\r\n: x\r\n",
    "trailer with a blank before the colon": b"0\r\nX : x\r\n",
    "folded trailer": b"0\r\nX: x\r\n y\r\n",
    "trailer without a colon": b"0\r\nGET / HTTP/1.1\r\n",
    "trailer with bare LF": b"0\r\nX: y\nZ: y\r\n\r\n",
    "trailer with NUL": b"0\r\nX: \x00\r\n",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("read", [decode, decode_bytewise])
def test_malformed_content_is_400(data, read):
    with pytest.raises(Refused) as refused:
        read(data)
    assert (refused.value.status, refused.value.reason) == (400, "bad_request")


def test_one_step_decodes_no_more_than_its_number_of_chunks():
    data = chunks_of(*[b"x"] * (3 * CHUNKS_PER_STEP))
    chunked = ChunkedContent(1024, 10)
    stopped = chunked.read(data, 0)
    assert len(chunked.take()) == CHUNKS_PER_STEP
    assert stopped < len(data)
    assert decode(data)[0] == b"x" * (3 * CHUNKS_PER_STEP)


@pytest.mark.parametrize("read", [decode, decode_bytewise])
def test_one_byte_chunks_are_not_too_much_overhead(read):
    assert read(chunks_of(*[b"x"] * 20_000))[0] == b"x" * 20_000


@pytest.mark.parametrize("read", [decode, decode_bytewise])
def test_extensions_that_outweigh_the_content_are_400(read):
    line = b"1;" + b"e" * 200 + b"\r\nx\r\n"
    with pytest.raises(Refused, match="outweigh"):
        read(line * 200 + b"0\r\n\r\n")
    assert read(line * 20 + b"0\r\n\r\n")[0] == b"x" * 20


@pytest.mark.parametrize("read", [decode, decode_bytewise])
def test_an_endless_chunk_line_is_400(read):
    with pytest.raises(Refused, match="4096"):
        read(b"1;" + b"e" * 5000)


@pytest.mark.parametrize("read", [decode, decode_bytewise])
@pytest.mark.parametrize(
    "trailers",
    [["X: " + "x" * 2000], ["X: " + "x" * 200] * 6, ["X:"] * 11],
    ids=["one long", "together", "too many"],
)
def test_trailers_over_the_limits_of_a_header_are_431(read, trailers):
    with pytest.raises(Refused) as refused:
        read(chunks_of(b"a", trailers=trailers))
    assert (refused.value.status, refused.value.reason) == (431, "limit_head")


def test_a_trailer_line_without_an_end_is_431():
    with pytest.raises(Refused) as refused:
        decode(b"0\r\nX: " + b"x" * 2000)
    assert refused.value.status == 431
