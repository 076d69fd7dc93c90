"""Members that fail: what the client sees, and when another try is made."""

import asyncio
import socket

import pytest

from tests.kit.client import chunked, get, post
from tests.kit.member import OK, Member, answering, echo, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually

NO_RETRIES = {"retries": {"attempts": 0}}


@pytest.fixture
def dead():
    """An address that refuses connections."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{sock.getsockname()[1]}"


async def test_a_dead_member_is_502(tmp_path, dead):
    async with serving(tmp_path, config(dead)) as proxy, proxy.client() as client:
        reply = await client.ask(get())
        assert reply.status == 502
        assert reply[b"proxy-status"] == b"adc; error=connection_refused"
        assert proxy.access_log()[0]["end_reason"] == "connect_failed"
        assert (await client.ask(get())).status == 502


async def test_members_that_are_all_down_stay_502_without_active_checks(tmp_path, dead):
    passive = {"failures": 1, "eject": "60s", "max_ejected": "100%"}
    members = [dead, dead.replace("127.0.0.1", "127.0.0.2")]
    async with (
        serving(tmp_path, config(*members, pool={"health": {"passive": passive}})) as proxy,
        proxy.client() as client,
    ):
        assert {(await client.ask(get())).status for _ in range(20)} == {502}


async def test_a_name_that_does_not_resolve_is_502(tmp_path):
    async with serving(tmp_path, config("nothing.invalid:80")) as proxy, proxy.client() as client:
        reply = await client.ask(get())
        assert (reply.status, reply[b"proxy-status"]) == (502, b"adc; error=dns_error")


async def test_a_pool_without_an_available_member_is_503(tmp_path, dead):
    members = [{"address": dead, "weight": 0}]
    async with serving(tmp_path, config(*members)) as proxy, proxy.client() as client:
        reply = await client.ask(get())
        assert (reply.status, reply[b"proxy-status"]) == (503, b"adc; error=destination_unavailable")
        assert b"retry-after" in reply


@pytest.mark.parametrize("request_", [get(), post(b"x")], ids=["GET", "POST"])
async def test_a_dead_member_is_passed_over_for_every_method(tmp_path, dead, request_):
    async with (
        Member() as member,
        serving(tmp_path, config(dead, member.address)) as proxy,
        proxy.client() as client,
    ):
        for _ in range(4):
            assert (await client.ask(request_)).status == 200


async def test_members_restarted_one_after_the_other_cost_no_request(tmp_path):
    async with (
        Member() as one,
        Member() as two,
        serving(tmp_path, config(one.address, two.address)) as proxy,
        proxy.client() as client,
    ):
        for member in (one, two, one):
            await member.__aexit__()
            assert {(await client.ask(get())).status for _ in range(12)} == {200}
            await member.__aenter__()
            await eventually(lambda: settled_on(proxy))


def settled_on(proxy):
    """True once an attempt that begins now counts as begun after the last ejection."""
    return proxy.worker.clock.now > max(proxy.member(number).since for number in range(2)) + 0.3


async def breaks(conversation, data=b"", reset=True):
    await conversation.request()
    if data:
        await conversation.send(data)
        await asyncio.sleep(0.02)
    if reset:
        conversation.reset()


BREAKS = {
    "reset without a response": (b"", True),
    "closed without a response": (b"", False),
    "reset within the head": (b"HTTP/1.1 200 OK\r\nContent", True),
    "closed within the head": (b"HTTP/1.1 200 OK\r\nContent", False),
}


@pytest.mark.parametrize(("data", "reset"), BREAKS.values(), ids=BREAKS)
async def test_a_try_that_breaks_before_the_response_is_repeated_elsewhere(tmp_path, data, reset):
    async with (
        Member(lambda conversation: breaks(conversation, data, reset)) as bad,
        Member() as good,
        serving(tmp_path, config(bad.address, good.address)) as proxy,
        proxy.client() as client,
    ):
        for _ in range(3):
            assert (await client.ask(get())).body == b"ok"
        assert bad.requests


@pytest.mark.parametrize(("data", "reset"), BREAKS.values(), ids=BREAKS)
async def test_a_post_that_may_have_been_seen_is_not_repeated(tmp_path, data, reset):
    async with (
        Member(lambda conversation: breaks(conversation, data, reset)) as bad,
        Member() as good,
        serving(tmp_path, config(bad.address, good.address)) as proxy,
        proxy.client() as client,
    ):
        statuses = sorted([(await client.ask(post(b"x"))).status for _ in range(2)])
        assert statuses == [200, 502]
        assert len(bad.requests) == len(good.requests) == 1


CUT_OFF = {
    "content-length": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    "until close": b"HTTP/1.1 200 OK\r\n\r\nhalf",
}


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("data", CUT_OFF.values(), ids=CUT_OFF)
async def test_a_response_that_breaks_off_is_visibly_not_whole(tmp_path, data, version):
    async with (
        Member(lambda conversation: breaks(conversation, data)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get(version=version))
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await client.reply()
        assert not client.received.endswith(b"\r\n0\r\n\r\n")
        assert len(member.requests) == 1
        await eventually(proxy.access_log)
        assert proxy.access_log()[0]["end_reason"] in ("member_closed", "member_reset")


LARGE = 400_000
LEFT_OFF = {
    "content-length": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * LARGE) + b"x" * LARGE,
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % LARGE
    + b"x" * LARGE
    + b"\r\n",
}


@pytest.mark.parametrize("data", LEFT_OFF.values(), ids=LEFT_OFF)
async def test_slow_client_gets_all_that_came_of_a_framed_response_and_an_orderly_end(tmp_path, data):
    async with (
        Member(lambda conversation: breaks(conversation, data, reset=False)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client(receive_buffer=4096) as client,
    ):
        client.writer.transport.pause_reading()
        await client.send(get())
        await eventually(proxy.access_log)
        assert proxy.access_log()[0]["end_reason"] == "member_closed"
        client.writer.transport.resume_reading()
        rest = await client.rest()
        assert rest.count(b"x") == LARGE
        assert not rest.endswith(b"\r\n0\r\n\r\n")
        proxy.pass_time(5)  # for which the close lingers
        await eventually(lambda: not proxy.connections)


async def test_response_whose_end_only_the_close_shows_is_reset(tmp_path):
    async with (
        Member(lambda conversation: breaks(conversation, CUT_OFF["chunked"], reset=False)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get(version="1.0"))
        with pytest.raises(ConnectionResetError):
            await client.rest()


async def test_client_that_still_sends_gets_the_part_of_the_response(tmp_path):
    async def script(conversation):
        await conversation.head()
        await conversation.send(CUT_OFF["content-length"])

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(post(b"x" * 100)[:-50])
        await eventually(proxy.access_log)
        await client.send(b"x" * 50)
        assert (await client.rest()).endswith(b"\r\n\r\nhalf")


async def test_a_stale_connection_is_retried_once_for_idempotent_requests(tmp_path):
    async def script(conversation):
        await conversation.request()
        await conversation.send(OK)
        await conversation.request()
        conversation.reset()

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address, route=NO_RETRIES)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get("/1"))).status == 200
        assert (await client.ask(get("/2"))).status == 200
        assert [request.target for request in member.requests] == ["/1", "/2", "/2"]
        assert (await client.ask(post(b"x"))).status == 502


async def test_an_idle_connection_that_the_member_closed_is_not_used(tmp_path):
    async with (
        Member(answering(echo)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get())).status == 200
        member.connections[0].close()
        await eventually(lambda: proxy.links[0].connections == 0)
        assert (await client.ask(post(b"x"))).status == 200


async def test_a_body_that_is_held_is_sent_again(tmp_path, dead):
    async with (
        Member() as member,
        serving(tmp_path, config(dead, member.address)) as proxy,
        proxy.client() as client,
    ):
        for request in (post(b"x" * 5000), chunked(b"y" * 300, b"z")):
            for _ in range(2):
                assert (await client.ask(request)).status == 200
        assert [len(request.body) for request in member.requests] == [5000, 5000, 301, 301]


async def test_a_listed_status_is_tried_elsewhere(tmp_path):
    route = {"retries": {"attempts": 1, "on": ["503"]}}
    async with (
        Member(answering(response(b"no", status=503))) as bad,
        Member() as good,
        serving(tmp_path, config(bad.address, good.address, route=route)) as proxy,
        proxy.client() as client,
    ):
        assert [(await client.ask(get())).status for _ in range(4)] == [200] * 4
        assert bad.requests


async def test_the_last_answer_is_passed_on_when_no_try_is_left(tmp_path):
    route = {"retries": {"attempts": 3, "on": ["503"]}}
    async with (
        Member(answering(response(b"no", status=503))) as bad,
        serving(tmp_path, config(bad.address, route=route)) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(get())
        assert (reply.status, reply.body) == (503, b"no")


SLOW = {
    "response_head": ({"response_head": "100ms"}, b"", 504, "response_head_timeout"),
    "total": ({"total": "100ms"}, b"", 504, "total_timeout"),
}


@pytest.mark.parametrize(("timeouts", "data", "status", "reason"), SLOW.values(), ids=SLOW)
async def test_a_slow_member_is_504(tmp_path, timeouts, data, status, reason):
    async with Member(lambda conversation: conversation.rest()) as member:
        route = {"timeouts": timeouts, **NO_RETRIES}
        async with serving(tmp_path, config(member.address, route=route)) as proxy, proxy.client() as client:
            await client.send(get())
            await eventually(lambda: member.received)
            proxy.pass_time(0.2)
            reply = await client.reply()
            assert reply.status == status
            assert reply[b"proxy-status"].startswith(b"adc; error=http_response_timeout")
            assert proxy.access_log()[0]["end_reason"] == reason
            await eventually(lambda: proxy.links[0].connections == 0)


async def test_a_member_that_stops_within_its_response_breaks_it_off(tmp_path):
    async def script(conversation):
        await conversation.request()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await conversation.rest()

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get())
        await client.some()
        proxy.pass_time(61)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await client.reply()
        assert proxy.access_log()[0]["end_reason"] == "idle_timeout"


async def test_a_connection_that_does_not_open_is_504(tmp_path):
    with socket.socket() as full:  # a backlog of one that nobody accepts from
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        await asyncio.sleep(0.02)
        address = f"127.0.0.1:{full.getsockname()[1]}"
        async with serving(tmp_path, config(address, route=NO_RETRIES)) as proxy, proxy.client() as client:
            await client.send(get())
            await eventually(lambda: proxy.listener.service.active)
            proxy.pass_time(6)
            reply = await client.reply()
            assert (reply.status, reply[b"proxy-status"]) == (504, b"adc; error=connection_timeout")
        for filler in fillers:
            filler.close()


async def test_unix_members_and_names_are_members(tmp_path):
    async with (
        Member(answering(response(b"unix")), path=str(tmp_path / "m")) as unix,
        Member(answering(response(b"name"))) as named,
    ):
        members = [unix.address, f"localhost:{named.port}"]
        async with serving(tmp_path, config(*members)) as proxy, proxy.client() as client:
            assert {(await client.ask(get())).body for _ in range(2)} == {b"unix", b"name"}


async def test_keep_alive_of_the_member_shortens_the_idle_time(tmp_path):
    async with (
        Member(answering(response(b"x", "Keep-Alive: timeout=4, max=9"))) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get())
        link = proxy.links[0]
        link.reap(proxy.worker.clock.now + 2.5)
        assert link.connections == 1
        link.reap(proxy.worker.clock.now + 3.5)
        await eventually(lambda: link.connections == 0)


@pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "SEARCH", "MKCOL", "COPY", "QUERY", "UNLOCK"])
async def test_registered_idempotent_methods_are_tried_again(tmp_path, method):
    async with (
        Member(breaks) as bad,
        Member() as good,
        serving(tmp_path, config(bad.address, good.address)) as proxy,
        proxy.client() as client,
    ):
        for _ in range(3):
            assert (await client.ask(post(b"x", method=method))).body == b"ok"
        assert bad.requests


@pytest.mark.parametrize("method", ["LOCK", "PATCH"])
async def test_other_methods_are_not_tried_again(tmp_path, method):
    async with (
        Member(breaks) as bad,
        Member() as good,
        serving(tmp_path, config(bad.address, good.address)) as proxy,
        proxy.client() as client,
    ):
        assert sorted([(await client.ask(post(b"x", method=method))).status for _ in range(2)]) == [200, 502]
        assert len(bad.requests) == 1
