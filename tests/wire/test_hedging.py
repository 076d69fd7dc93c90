"""Hedged requests and mirrored ones."""

import asyncio
import contextlib
import socket

import pytest

from tests.kit.client import get, post
from tests.kit.member import OK, Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually, settled

FIRST = {"balance": "first"}
HEDGED = {"retries": {"attempts": 1, "hedge": {"after": "10ms"}}}


async def silent(conversation):
    await conversation.request()
    await conversation.rest()


@pytest.fixture
async def quick():
    async with Member(answering(response(b"quick"))) as member:
        yield member


def hedged(*members, route=HEDGED):
    return config(*(member.address for member in members), pool=FIRST, route=route)


async def test_another_member_answers_while_the_first_is_silent(tmp_path, quick):
    rest = []

    async def waits(conversation):
        await conversation.request()
        rest.append(await conversation.rest())

    async with (
        Member(waits) as slow,
        serving(tmp_path, hedged(slow, quick)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get("/"))).body == b"quick"
        assert proxy.access_log()[0]["member"] == quick.address
        await eventually(lambda: proxy.member(0).active == 0)
        await eventually(lambda: rest == [b""])  # it was given up
        assert (await client.ask(get("/"))).body == b"quick"


async def test_ejected_member_gets_no_hedges(tmp_path, quick):
    release = asyncio.Event()

    async def late(conversation):
        await conversation.request()
        await release.wait()
        await conversation.send(OK)

    async with (
        Member(late) as slow,
        serving(tmp_path, hedged(slow, quick)) as proxy,
        proxy.client() as client,
    ):
        pool = proxy.worker.runtime.pools["app"]
        pool.eject(proxy.member(1), proxy.worker.clock.now, "test")
        await client.send(get("/"))
        await eventually(lambda: slow.requests)
        await asyncio.sleep(0.05)
        assert not quick.requests
        release.set()
        assert (await client.reply()).body == b"ok"


async def test_a_member_that_answers_in_time_is_the_only_one_asked(tmp_path, quick):
    route = {"retries": {"hedge": {"after": "1m"}}}
    async with (
        Member() as other,
        serving(tmp_path, hedged(quick, other, route=route)) as proxy,
        proxy.client() as client,
    ):
        for _ in range(3):
            assert (await client.ask(get("/"))).body == b"quick"
        assert not other.requests


@pytest.mark.parametrize("data", [post(b"x"), get("/", method="POST")], ids=["content", "no content"])
async def test_request_that_may_not_be_sent_twice_is_not_hedged(tmp_path, quick, data):
    release = asyncio.Event()

    async def late(conversation):
        await conversation.request()
        await release.wait()
        await conversation.send(OK)

    async with (
        Member(late) as slow,
        serving(tmp_path, hedged(slow, quick)) as proxy,
        proxy.client() as client,
    ):
        await client.send(data)
        await asyncio.sleep(0.05)
        release.set()
        assert (await client.reply()).body == b"ok"
        assert not quick.requests


async def test_the_first_may_still_answer_when_the_hedge_fails(tmp_path):
    release = asyncio.Event()

    async def late(conversation):
        await conversation.request()
        await release.wait()
        await conversation.send(response(b"late"))

    async def failing(conversation):
        await conversation.request()
        conversation.reset()
        release.set()

    async with (
        Member(late) as slow,
        Member(failing) as broken,
        serving(tmp_path, hedged(slow, broken)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get("/"))).body == b"late"
        assert proxy.access_log()[0]["end_reason"] == "-"
        assert [proxy.member(number).active for number in (0, 1)] == [0, 0]


async def test_when_all_fail_the_client_is_told(tmp_path):
    async def failing(conversation):
        await conversation.request()
        await asyncio.sleep(0.03)
        conversation.reset()

    async with (
        Member(failing) as one,
        Member(failing) as two,
        serving(tmp_path, hedged(one, two)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get("/"))).status == 502
        assert [proxy.member(number).active for number in (0, 1)] == [0, 0]


async def test_a_client_that_goes_ends_every_try(tmp_path):
    async with (
        Member(silent) as one,
        Member(silent) as two,
        serving(tmp_path, hedged(one, two)) as proxy,
    ):
        async with proxy.client() as client:
            await client.send(get("/"))
            await eventually(lambda: two.requests)
        await eventually(lambda: not proxy.member(0).active + proxy.member(1).active)


async def test_all_silent_ends_with_the_time_limit_of_the_last(tmp_path):
    async with (
        Member(silent) as one,
        Member(silent) as two,
        serving(tmp_path, hedged(one, two)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/"))
        await eventually(lambda: two.requests)
        proxy.pass_time(61)
        assert [proxy.member(number).active for number in (0, 1)] == [0, 1]
        proxy.pass_time(61)
        reply = await client.reply()
        assert reply.status == 504
        assert proxy.access_log()[0]["end_reason"] == "response_head_timeout"
        assert [proxy.member(number).active for number in (0, 1)] == [0, 0]


@contextlib.contextmanager
def unreachable():
    """The address of a listening socket whose queue is full: whoever connects hangs."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filling = stack.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(listening.getsockname())
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("late", [0, 1], ids=["the first", "the hedge"])
async def test_attempt_that_cannot_connect_leaves_the_other_alone(tmp_path, late):
    answer = asyncio.Event()

    async def slow(conversation):
        await conversation.request()
        await answer.wait()
        await conversation.send(OK)

    async with Member(slow) as member:
        with unreachable() as address:
            members = [member.address]
            members.insert(late, address)
            settings = config(*members, pool=FIRST, route=HEDGED)
            async with serving(tmp_path, settings) as proxy, proxy.client() as client:
                tried, other = proxy.member(late), proxy.member(1 - late)
                await client.send(get("/"))
                await eventually(lambda: member.requests and tried.active)
                proxy.pass_time(10)  # over `connect`, within `response_head`
                assert (tried.active, tried.failures, other.active) == (0, 1, 1)
                answer.set()
                assert (await client.reply()).status == 200
                record = proxy.access_log()[0]
                assert (record["member"], record["attempts"]) == (member.address, 2)


def mirrored(member, copies, **mirror):
    written = config(member.address, route={"mirror": {"pool": "copies", **mirror}})
    written["pools"]["copies"] = {"members": [copies.address]}
    return written


@pytest.mark.parametrize("data", [get("/a?b"), post(b"content", target="/a?b")], ids=["GET", "POST"])
async def test_a_copy_of_each_request_reaches_the_other_pool(tmp_path, data):
    async with (
        Member() as member,
        Member() as copies,
        serving(tmp_path, mirrored(member, copies)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(data)).body == b"ok"
        await eventually(lambda: copies.requests)
        assert copies.requests[0].target == member.requests[0].target == "/a?b"
        assert copies.requests[0].body == member.requests[0].body
        await settled()
        assert len(proxy.access_log()) == 1


async def test_a_mirror_that_hangs_or_fails_does_not_hold_the_client_up(tmp_path):
    async with (
        Member() as member,
        Member(silent) as copies,
        serving(tmp_path, mirrored(member, copies)) as proxy,
        proxy.client() as client,
    ):
        for _ in range(5):
            assert (await client.ask(get("/"))).body == b"ok"
        await eventually(lambda: len(copies.requests) == 5)
        proxy.pass_time(61)
        await eventually(lambda: proxy.member(pool="copies").active == 0)
        assert (await client.ask(get("/"))).body == b"ok"


async def test_no_share_no_copies(tmp_path):
    async with (
        Member() as member,
        Member() as copies,
        serving(tmp_path, mirrored(member, copies, percent="0%")) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get("/"))).body == b"ok"
        await settled()
        assert not copies.requests
