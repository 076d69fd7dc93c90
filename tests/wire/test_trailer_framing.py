"""Trailers on the wire (RFC 9110 section 6.5): who is sent which, and what is refused."""

import pytest

from tests.kit.client import chunked, get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving

LINES = ["X-Sum: 1", "Server-Timing: db;dur=2", "X-Sum: 3"]
TRAILERS = [(b"x-sum", b"1"), (b"server-timing", b"db;dur=2"), (b"x-sum", b"3")]


def with_trailers(*lines, announced="X-Sum, Host"):
    """A chunked response with trailers."""
    head = f"HTTP/1.1 200 OK\r\nTrailer: {announced}\r\nTransfer-Encoding: chunked\r\n\r\n"
    return (head + "3\r\nabc\r\n2\r\nde\r\n0\r\n" + "\r\n".join([*lines, "", ""])).encode()


def dribbling(data):
    """A member that responds byte by byte."""

    async def script(conversation):
        while True:
            await conversation.request()
            for position in range(len(data)):
                await conversation.send(data[position : position + 1])

    return script


async def reply_to(tmp_path, script, request, **options):
    """(the response, the request as the member got it, the proxy's refusals)"""
    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address, **options)) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(request)
        return reply, member.requests[-1]


SCRIPTS = {"whole": answering(with_trailers(*LINES)), "byte by byte": dribbling(with_trailers(*LINES))}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
async def test_trailers_of_a_response_reach_a_client_that_takes_them(tmp_path, script):
    reply, seen = await reply_to(tmp_path, script, get("/", "TE: trailers"))
    assert (reply.body, reply.trailers) == (b"abcde", TRAILERS)
    assert reply[b"trailer"] == b"X-Sum"
    assert b"x-sum" not in reply
    assert (seen[b"te"], seen[b"connection"]) == (b"trailers", b"TE")


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
async def test_trailers_of_a_response_are_dropped_for_a_client_that_takes_none(tmp_path, script):
    reply, seen = await reply_to(tmp_path, script, get("/"))
    assert (reply.body, reply.trailers) == (b"abcde", [])
    assert b"trailer" not in reply
    assert b"te" not in seen


async def test_client_of_http_1_0_gets_no_trailers(tmp_path):
    script = answering(with_trailers(*LINES))
    reply, seen = await reply_to(tmp_path, script, get("/", "TE: trailers", version="1.0"))
    assert (reply.body, reply.trailers) == (b"abcde", [])
    assert b"te" not in seen


async def test_forbidden_trailers_of_a_response_are_dropped_and_others_pass(tmp_path):
    lines = ["X-Sum: 1", "Set-Cookie: a=b", "Content-Length: 9", "Location: /evil", "X-More: 2"]
    reply, _ = await reply_to(tmp_path, answering(with_trailers(*lines)), get("/", "TE: trailers"))
    assert (reply.body, reply.trailers) == (b"abcde", [(b"x-sum", b"1"), (b"x-more", b"2")])


@pytest.mark.parametrize("way", ["whole", "byte by byte"])
async def test_trailers_of_a_chunked_request_reach_the_member(client, member, way):
    data = chunked(b"ab", b"c", trailers=LINES, fields=["Trailer: X-Sum, Host"])
    await (client.send(data) if way == "whole" else client.dribble(data))
    assert (await client.reply()).status == 200
    (seen,) = member.requests
    assert (seen.body, seen.trailers, seen[b"trailer"]) == (b"abc", TRAILERS, b"X-Sum")
    assert b"x-sum" not in seen
    assert (await client.ask(get("/next"))).status == 200


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("name", ["Host", "Content-Length", "Authorization", "x_forwarded_for", "Cookie"])
async def test_forbidden_trailer_of_a_request_is_refused_and_logged(tmp_path, proxy, client, name, together):
    data = chunked(b"ab", trailers=[f"{name}: x"])
    await (client.send(data) if together else client.dribble(data))
    assert (await client.reply()).status == 400
    assert f"the trailer field {name} is forbidden" in proxy.error_log()
    assert await client.closed()


async def test_trailers_over_the_limits_are_refused(tmp_path, member):
    limits = {"limits": {"headers": 10}}
    async with serving(tmp_path, config(member.address, listener=limits)) as proxy, proxy.client() as client:
        assert (await client.ask(chunked(b"a", trailers=["X: 1"] * 11))).status == 431


async def test_response_with_a_length_carries_no_trailers(tmp_path):
    reply, _ = await reply_to(tmp_path, answering(response(b"abc", "Trailer: X")), get("/", "TE: trailers"))
    assert (reply.body, b"trailer" in reply) == (b"abc", False)
