"""Persistent connections (RFC 9112 section 9.3) and pipelining."""

import pytest

from tests.kit.client import chunked, get, post
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually, settled


async def test_two_requests_share_a_connection(client):
    first = await client.ask(get("/1"))
    second = await client.ask(get("/2"))
    assert (first.body[:8], second.body[:8]) == (b"GET /1 H", b"GET /2 H")
    assert b"connection" not in second


async def test_http_1_1_close_is_answered_with_close(client):
    reply = await client.ask(get("/", "Connection: close"))
    assert reply[b"connection"] == b"close"
    assert await client.closed()


async def test_http_1_0_closes_unless_asked_to_keep_alive(client):
    reply = await client.ask(get("/", version="1.0"))
    assert reply[b"connection"] == b"close"
    assert await client.closed()


async def test_http_1_0_keep_alive_is_granted(client):
    first = await client.ask(get("/1", "Connection: keep-alive", version="1.0"))
    second = await client.ask(get("/2", "Connection: Keep-Alive", version="1.0"))
    assert first[b"connection"] == second[b"connection"] == b"keep-alive"
    assert second.body.startswith(b"GET /2")


async def test_a_member_always_gets_a_host(client):
    reply = await client.ask(get("/", version="1.0", host=None))
    assert b"\r\nHost: 127.0.0.1:" in reply.body


PIPELINE = (
    get("/1")
    + post(b"x" * 9, target="/2")
    + chunked(b"abc", b"\r\n\r\n", trailers=["X-Leak: 1"], target="/3")
)


@pytest.mark.parametrize("way", ["whole", "bytewise", "halves"])
async def test_pipelined_requests_are_answered_in_order(client, member, way):
    data = PIPELINE + get("/4") + chunked(b"q", trailers=["X-Leak: 1", "X-More: 2"], target="/5") + get("/6")
    if way == "whole":
        await client.send(data)
    elif way == "bytewise":
        await client.dribble(data)
    else:
        await client.send(data[: len(data) // 2])
        await client.send(data[len(data) // 2 :])
    replies = [await client.reply() for _ in range(6)]
    assert [reply.body.split(b" ")[1] for reply in replies] == [b"/1", b"/2", b"/3", b"/4", b"/5", b"/6"]
    heads = [dict(request.fields) for request in member.requests]
    assert not any(b"x-leak" in head or b"x-more" in head for head in heads)
    trailers = {request.target: request.trailers for request in member.requests if request.trailers}
    assert trailers == {"/3": [(b"x-leak", b"1")], "/5": [(b"x-leak", b"1"), (b"x-more", b"2")]}
    (third,) = [request for request in member.requests if request.target == "/3"]
    assert third.body == b"abc\r\n\r\n"


async def test_garbage_behind_a_request_is_refused_after_its_response(client, member):
    await client.send(get("/1"))
    await eventually(lambda: member.requests)
    await client.send(b"garbage\r\n\r\n")
    assert (await client.reply()).body.startswith(b"GET /1")
    assert (await client.reply()).status == 400
    assert await client.closed()


@pytest.mark.parametrize("together", [True, False])
async def test_requests_behind_one_that_closes_are_not_served(client, member, together):
    await client.send(get("/1", "Connection: close"))
    if not together:
        await eventually(lambda: member.requests)
    await client.send(get("/2"))
    assert (await client.reply())[b"connection"] == b"close"
    await client.closed()
    assert "/2" not in [request.target for request in member.requests]


async def test_answers_made_here_keep_their_order(tmp_path, member):
    routes = [{"match": {"path": "/here"}, "respond": {"status": 200, "body": "here"}}, {"pool": "app"}]
    async with (
        serving(tmp_path / "2", {**config(member.address), "routes": routes}) as proxy,
        proxy.client() as client,
    ):
        targets = ["/here", "/1", "/here", "/here", "/2", "/here"]
        await client.send(b"".join(map(get, targets)))
        bodies = [(await client.reply()).body for _ in targets]
        assert [body == b"here" for body in bodies] == [target == "/here" for target in targets]


async def test_a_trailer_may_not_look_like_a_field_of_the_next_request(client, member):
    trailers = ["X-Admin: yes", "X-Type: text/evil"]
    await client.send(chunked(b"a", trailers=trailers, target="/1"))
    assert (await client.reply()).status == 200
    reply = await client.ask(get("/2"))
    assert (reply.status, b"X-Admin" in reply.body, b"evil" in reply.body) == (200, False, False)


async def test_blank_lines_before_a_request_are_skipped(client):
    assert (await client.ask(b"\r\n\r\n" + get("/1"))).status == 200
    assert (await client.ask(b"\r\n" + chunked(b"x") + b"\r\n")).status == 200
    assert (await client.ask(get("/2"))).status == 200


async def test_every_cut_of_a_pipeline_gives_the_same_answers(proxy):
    data = chunked(b"ab", trailers=["X-Leak: 1"], target="/1") + get("/2")
    for cut in range(1, len(data)):
        async with proxy.client() as client:
            await client.send(data[:cut])
            await settled(1)
            await client.send(data[cut:])
            assert (await client.reply()).body.startswith(b"POST /1")
            second = await client.reply()
            assert second.body.startswith(b"GET /2")
            assert b"X-Leak" not in second.body


async def test_a_chunked_body_behind_a_last_byte_of_a_head_ends_where_it_ends(client):
    data = chunked(b"ab", trailers=["X-Leak: 1"], target="/1")
    end = data.index(b"\r\n\r\n") + 4
    for piece in (data[: end - 1], data[end - 1 : end], b"0\r\n\r\n" + get("/2")):
        await client.send(piece)
        await settled()
    assert (await client.reply()).body.startswith(b"POST /1")
    assert (await client.reply()).body.startswith(b"GET /2")
