"""Responses that nginx, HAProxy and Apache accept though the grammar does not, each in pieces and whole."""

import asyncio

import pytest

from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually

NO_RETRIES = {"retries": {"attempts": 0}}
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LENGTH = b"Content-Length: 2\r\n\r\nab"

ACCEPTED = {
    "bare LF": b"HTTP/1.1 200 OK\nX: a\nContent-Length: 2\n\nab",
    "bare LF in a field": HEAD + b"X: a\nContent-Length: 2\r\n\r\nab",
    "bare LF at the end": HEAD + b"X: a\r\nContent-Length: 2\r\n\nab",
    "the same length twice": HEAD + b"X: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
    "a list of lengths": HEAD + b"X: a\r\nContent-Length: 2, 2\r\n\r\nab",
    "folded line": HEAD + b"X:\r\n  a\r\n" + LENGTH,
    "space before the colon": HEAD + b"X : a\r\nContent-Length : 2\r\n\r\nab",
    "a control in a value": HEAD + b"X: \x01a\x7f\r\n" + LENGTH,
    "an empty coding": HEAD + b"X: a\r\nTransfer-Encoding: \r\n" + LENGTH,
    "two spaces": b"HTTP/1.1  200 OK\r\nX: a\r\n" + LENGTH,
    "no reason": b"HTTP/1.1 200\r\nX: a\r\n" + LENGTH,
    "no reason, LF": b"HTTP/1.1 200\nX: a\nContent-Length: 2\n\nab",
    "a blank line before": b"\r\n\r\n" + HEAD + b"X: a\r\n" + LENGTH,
    "a blank line before LF": b"\n" + HEAD + b"X: a\n" + LENGTH,
    "an empty value": HEAD + b"Y:\r\nZ: \r\nX: a\r\n" + LENGTH,
    "a value of 8 bits": HEAD + b"Y: \xe9\r\nX: a\r\n" + LENGTH,
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\nX: a\r\n" + LENGTH,
    "HTTP/1.9": b"HTTP/1.9 200 OK\r\nX: a\r\n" + LENGTH,
    "blanks around the coding": HEAD + b"X: a\r\nTransfer-Encoding: , Chunked \r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "an interim head with LF": b"HTTP/1.1 103 E\n\n" + HEAD + b"X: a\r\n" + LENGTH,
    "LF behind an interim head": b"HTTP/1.1 103 E\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\nX: a\nContent-Length: 2\n\nab",
}
CHUNK_LINES = (
    b"2 ;x=1",
    b"2  ",
    b"2\t;x",
    b"2; x = 1",
    b'2 ; x="a;b"',
    b"2;",
    b"2;x",
    b"0002 ; y",
    b"2 ; \xe9",
    b"2;=[]",
    b"0" * 20 + b"2",
)
CLOSING = {
    "both lengths": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "both lengths, turned": HEAD
    + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "three lengths": HEAD
    + b"Transfer-Encoding: chunked\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "HTTP/1.0 that keeps": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
}


def in_pieces(data, size):
    async def script(conversation):
        while True:
            await conversation.request()
            for start in range(0, len(data), size):
                await conversation.send(data[start : start + size])
                await asyncio.sleep(0)

    return script


async def final(client):
    reply = await client.reply()
    while reply.status == 103:
        reply = await client.reply()
    return reply


@pytest.mark.parametrize("size", [1, 7, 1 << 20], ids=["bytes", "pieces", "whole"])
@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED)
async def test_a_response_that_others_accept_is_accepted(tmp_path, data, size):
    async with (
        Member(in_pieces(data, size)) as member,
        serving(tmp_path, config(member.address, route=NO_RETRIES)) as proxy,
        proxy.client() as client,
    ):
        for _ in range(3):
            await client.send(get())
            reply = await final(client)
            assert (reply.status, reply[b"x"], reply.body) == (200, b"a", b"ab")
        assert len(member.connections) == 1
        assert b"\n" not in client.received.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    "size",
    [1 << 20, len(CHUNKED), len(CHUNKED) + 10, 1, 2, 3],
    ids=["whole", "head alone", "a chunk with it", "bytes", "twos", "threes"],
)
@pytest.mark.parametrize("head", [CHUNKED, CHUNKED.replace(b"\r", b"")], ids=["CRLF", "LF"])
@pytest.mark.parametrize("line", CHUNK_LINES)
async def test_blanks_and_extensions_of_any_chunk_are_accepted(tmp_path, line, head, size):
    chunk = line + b"\r\nab\r\n"
    data = head + b"2\r\nab\r\n" + chunk + b"3\r\nabc\r\n" + chunk + b"0 ; x\r\nT : x\r\n\r\n"
    async with (
        Member(in_pieces(data, size)) as member,
        serving(tmp_path, config(member.address, route=NO_RETRIES)) as proxy,
        proxy.client() as client,
    ):
        for _ in range(3):
            assert (await client.ask(get())).body == b"abababcab"
        assert len(member.connections) == 1


async def test_odd_chunks_are_read_wherever_the_stream_is_cut(tmp_path):
    content = b"2\r\nab\r\n4\r\n\r\n1\n\r\n3; a = b\r\n\r\nc\r\n1 ;=\r\nd\r\n0\r\n\r\n"

    async def script(conversation):
        for cut in range(1, len(content)):
            await conversation.request()
            for piece in (CHUNKED, content[:cut], content[cut:]):
                await conversation.send(piece)
                await asyncio.sleep(0.002)

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address, route=NO_RETRIES)) as proxy,
        proxy.client() as client,
    ):
        for _ in range(1, len(content)):
            assert (await client.ask(get())).body == b"ab\r\n1\n\r\ncd"
        assert len(member.connections) == 1


@pytest.mark.parametrize("data", CLOSING.values(), ids=CLOSING)
async def test_chunks_win_over_a_length_and_the_connection_is_not_used_again(tmp_path, data):
    async with (
        Member(answering(data)) as member,
        serving(tmp_path, config(member.address, route=NO_RETRIES)) as proxy,
        proxy.client() as client,
    ):
        for number in range(3):
            reply = await client.ask(get())
            assert (reply.status, reply.body) == (200, b"ab")
            assert len(member.connections) == number + 1


REASONS = {
    b"a\0b": b"a b",
    b"\x1b[31mred": b" [31mred",
    b"t\tab": b"t\tab",
    b"\xc3\xa9t\xc3\xa9": b"\xc3\xa9t\xc3\xa9",
}


@pytest.mark.parametrize(("reason", "passed"), REASONS.items())
async def test_controls_of_a_reason_do_not_reach_the_client(tmp_path, reason, passed):
    async with (
        Member(answering(b"HTTP/1.1 250 " + reason + b"\r\n" + LENGTH)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get())
        assert client.received.startswith(b"HTTP/1.1 250 " + passed + b"\r\n")


@pytest.mark.parametrize("piece", [b"1;" + b"x" * 4000 + b"\r\na\r\n", b"0\r\n" + b"T: x\r\n" * 40_000])
async def test_endless_extensions_and_trailers_break_the_response_off(tmp_path, piece):
    async def script(conversation):
        await conversation.request()
        await conversation.send(CHUNKED + b"5\r\nhello\r\n")
        for _ in range(100):
            await conversation.send(piece)

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get())
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await client.reply()
        await eventually(lambda: proxy.links[0].connections == 0)


async def test_chunks_of_a_byte_are_no_overhead(tmp_path):
    data = CHUNKED + b"1\r\na\r\n" * 100_000 + b"0\r\n\r\n"
    async with (
        Member(answering(data)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get())).body == b"a" * 100_000


@pytest.mark.parametrize(
    "start", [b"SSH-2.0-x\r\n", b"x", b"HTTP/2 200\r\n", b"http/1.1 200 OK\r\n", b"HTTP/1.1 20\n"]
)
async def test_response_that_is_not_http_is_rejected_before_its_end(tmp_path, start):
    async def script(conversation):
        await conversation.request()
        await conversation.send(start)
        await conversation.rest()

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address, route=NO_RETRIES)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get())).status == 502


REFUSED = {
    "a control in the coding": HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "a control in the length": HEAD + b"Content-Length: \x0b2\r\n\r\nab",
    "a length of 64 bits": HEAD + b"Content-Length: 18446744073709551615\r\n\r\nab",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
async def test_a_length_that_others_read_differently_is_refused(tmp_path, data):
    async with (
        Member(answering(data)) as member,
        serving(tmp_path, config(member.address, route=NO_RETRIES)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get())).status == 502


async def test_a_very_long_reason_is_left_out(tmp_path):
    async with (
        Member(answering(b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n" + LENGTH)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get())).body == b"ab"
        assert client.received.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("size", [1, 7, 25, 40, 1 << 20])
async def test_blank_lines_behind_an_interim_head_do_not_move_the_content(tmp_path, size):
    data = b"HTTP/1.1 103 E\r\n\r\n\r\n\r\n" + CHUNKED + b"2\r\nab\r\n2 ; = \r\ncd\r\n0\r\n\r\n"
    async with (
        Member(in_pieces(data, size)) as member,
        serving(tmp_path, config(member.address, route=NO_RETRIES)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get())
        assert (await final(client)).body == b"abcd"


async def test_two_responses_never_become_one(tmp_path):
    odd = b"HTTP/1.1 200 OK\nContent-Length: 3\n\none"
    async with (
        Member(answering(odd + response(b"evil"), response(b"two"))) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        assert [(await client.ask(get())).body for _ in range(2)] == [b"one", b"two"]
        assert len(member.connections) == 2
