"""Expect: 100-continue and other interim responses (RFC 9110 sections 10.1.1 and 15.2)."""

import pytest

from tests.kit.client import get
from tests.kit.member import OK, Member, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually, settled

ASK = get("/", "Expect: 100-continue", "Content-Length: 3", method="POST")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


async def test_the_members_100_reaches_the_client_once(tmp_path):
    async def script(conversation):
        await conversation.head()
        await conversation.send(CONTINUE)
        assert await conversation.exactly(3) == b"abc"
        await conversation.send(OK)
        await conversation.rest()

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(ASK)).status == 100
        assert member.requests[0][b"expect"] == b"100-continue"
        proxy.pass_time(2)
        assert (await client.ask(b"abc")).status == 200


async def test_a_member_that_says_nothing_is_spoken_for_after_a_second(tmp_path):
    async def script(conversation):
        await conversation.head()
        assert await conversation.exactly(3) == b"abc"
        await conversation.send(CONTINUE + OK)
        await conversation.rest()

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(ASK)
        await eventually(lambda: member.requests)
        proxy.pass_time(0.5)
        await settled()
        assert not client.reader._buffer
        proxy.pass_time(1.1)
        assert (await client.reply()).status == 100
        assert (await client.ask(b"abc")).status == 200


async def test_a_final_answer_instead_of_100_closes_the_connection(tmp_path):
    async def script(conversation):
        await conversation.head()
        await conversation.send(response(b"no", status=401))
        await conversation.rest()

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(ASK)
        assert (reply.status, reply[b"connection"]) == (401, b"close")
        await eventually(lambda: proxy.links[0].connections == 0)


async def test_content_that_comes_at_once_needs_no_100(tmp_path):
    async with (
        Member() as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(ASK + b"abc")).status == 200
        assert b"expect" not in member.requests[0]


async def test_content_that_comes_piece_by_piece_before_the_100_is_not_hurried(tmp_path):
    async with (
        Member() as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(ASK)
        for piece in (b"a", b"b", b"c"):
            await settled()
            await client.send(piece)
        assert (await client.reply()).status == 200


async def test_an_unknown_expectation_is_417(tmp_path):
    async with (
        Member() as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get("/", "Expect: magic"))).status == 417
        assert not member.received


async def test_http_1_0_is_never_sent_an_interim_response(tmp_path):
    async def script(conversation):
        await conversation.request()
        await conversation.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK)
        await conversation.rest()

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        request = get("/", "Expect: 100-continue", "Content-Length: 3", method="POST", version="1.0")
        assert (await client.ask(request + b"abc")).status == 200


@pytest.mark.parametrize("split", [False, True])
async def test_early_hints_pass_through(tmp_path, split):
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"

    async def script(conversation):
        await conversation.request()
        await conversation.send(hints if split else hints + hints + OK)
        if split:
            await settled()
            await conversation.send(hints + OK)
        await conversation.rest()

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        first = await client.ask(get())
        assert (first.status, first[b"link"]) == (103, b"</a.css>")
        assert (await client.reply()).status == 103
        assert (await client.reply()).body == b"ok"


async def test_an_unasked_100_is_not_passed_on(tmp_path):
    async def script(conversation):
        await conversation.request()
        await conversation.send(CONTINUE + OK)
        await conversation.rest()

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get())).status == 200
