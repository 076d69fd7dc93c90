"""What chunked framing may cost: everything in it but the data is bounded, and one step's work is."""

import asyncio

import pytest

from tests.kit.client import chunks_of, get
from tests.kit.member import Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually

LIMITS = {"limits": {"body": "1KB", "header_bytes": "2KB", "headers": 10}}
HEAD = get("/", "Transfer-Encoding: chunked", method="POST")


@pytest.fixture
async def member():
    async with Member() as member:
        yield member


@pytest.fixture
async def proxy(tmp_path, member):
    async with serving(tmp_path, config(member.address, listener=LIMITS)) as proxy:
        yield proxy


TOO_MUCH = {
    "extensions": (b"1;" + b"e" * 1000 + b"\r\nx\r\n", 400, "bad_request"),
    "an extension without an end": (b"1;" + b"e" * 1000, 400, "bad_request"),
    "trailers": (b"0\r\n" + b"X: " + b"y" * 900 + b"\r\n", 431, "limit_head"),
    "small trailers": (b"0\r\n" + b"X: y\r\n" * 300, 431, "limit_head"),
}


@pytest.mark.parametrize(("piece", "status", "reason"), TOO_MUCH.values(), ids=TOO_MUCH)
@pytest.mark.parametrize("later", [False, True])
async def test_framing_that_outweighs_its_content_is_refused(
    proxy, client, member, piece, status, reason, later
):
    first, _, rest = piece.partition(b"\r\n") if piece.startswith(b"0") else (b"", b"", piece)
    start = first + b"\r\n" if first else b""
    if later:
        await client.send(HEAD)
        await eventually(lambda: member.received)
        await client.send(start + rest * 200)
    else:
        await client.send(HEAD + start + rest * 200)
    assert (await client.reply()).status == status
    client.finish_sending()
    assert await client.closed()
    assert f"reason={reason}" in proxy.error_log()
    assert member.requests == []
    assert b"X: y" not in member.received


async def test_one_byte_chunks_reach_the_member_and_others_are_served_between(tmp_path, member):
    async with (
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
        proxy.client() as other,
    ):
        count = 100_000
        sending = asyncio.create_task(client.send(HEAD + chunks_of(*[b"x"] * count)))
        await eventually(lambda: member.received)
        assert (await other.ask(get("/other"))).status == 200
        assert (await client.reply()).status == 200
        await sending
        (upload,) = [request for request in member.requests if request.method == "POST"]
        assert upload.body == b"x" * count


async def test_content_that_is_left_for_later_waits_for_a_slow_member(tmp_path):
    gate = asyncio.Event()

    async def script(conversation):
        await conversation.head()
        await gate.wait()
        await conversation.rest()

    async with (
        Member(script) as slow,
        serving(tmp_path, config(slow.address)) as proxy,
        proxy.client() as client,
    ):
        client.writer.write(HEAD + chunks_of(*[b"x" * 20_000] * 1000))
        await eventually(lambda: any(each._paused for each in proxy.connections))
        (exchange,) = proxy.listener.service.active
        assert exchange.bytes_in < 16 << 20
        gate.set()
        await eventually(lambda: exchange.bytes_in == 20_000_000)
