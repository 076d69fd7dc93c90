"""Plugins of a route on real sockets: phases, order, content and its limits."""

import sys
from collections import Counter

import pytest

from adc.compilation import compiled
from tests.kit.client import chunked, get, post
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.wire.plugins.plugged import asked, route


async def test_requests_pass_in_file_order_and_responses_in_reverse(folder, member):
    reply = await asked(folder, member, get(), {"tag": {"tag": "1"}}, {"tag": {"tag": "2"}})
    assert (member.requests[0][b"x-order"], reply[b"x-order"]) == (b"12", b"21")


async def test_an_answer_passes_only_the_plugins_before_it(folder, member):
    tags = [{"tag": {"tag": "1"}}, {"tag": {"tag": "2", "answer": True}}, {"tag": {"tag": "3"}}]
    reply = await asked(folder, member, get(), *tags)
    assert (reply.status, reply[b"x-by"], reply[b"x-order"], reply.body) == (403, b"2", b"1", b"no\n")
    assert member.requests == []


async def test_an_answer_shows_in_the_log_as_denied(folder, member):
    plugins = route({"tag": {"answer": True}}, folder=folder)
    async with serving(folder, config(member.address, **plugins)) as proxy, proxy.client() as client:
        await client.ask(get())
        assert proxy.access_log()[0]["end_reason"] == "denied"
        assert proxy.worker.runtime.plugins.chains["all"].uses[0].stopped.value == 1


@pytest.mark.parametrize("data", [post(b"a-body"), chunked(b"a-", b"body")])
async def test_content_passes_piece_by_piece(folder, member, data):
    reply = await asked(folder, member, data, "pieces")
    assert member.requests[0].body == b"bb-body!"
    assert reply.body.endswith(b"?")
    assert b"a" not in reply.body


@pytest.mark.parametrize("data", [post(b"content"), chunked(b"con", b"tent")])
async def test_content_in_whole_reaches_the_member_with_its_length(folder, member, data):
    reply = await asked(folder, member, data, "whole")
    assert member.requests[0].body == b"<content>"
    assert member.requests[0][b"content-length"] == b"9"
    assert (reply.body[:1], reply.body[-1:]) == (b"[", b"]")
    assert reply[b"content-length"] == str(len(reply.body)).encode()


async def test_content_in_whole_is_judged_before_a_member_is_asked(folder, member):
    reply = await asked(folder, member, chunked(b"att", b"ack"), "whole")
    assert (reply.status, reply.body, member.requests) == (403, b"blocked", [])


@pytest.mark.parametrize("data", [post(b"x" * 1001), chunked(b"x" * 600, b"x" * 600)])
async def test_request_content_over_the_limit_is_413(folder, member, data):
    reply = await asked(folder, member, data, "whole")
    assert (reply.status, member.requests) == (413, [])


async def test_plugin_that_reads_the_content_sends_100_continue(folder, member):
    async with (
        serving(folder, config(member.address, **route("whole", folder=folder))) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/", "Content-Length: 2", "Expect: 100-continue", method="POST"))
        assert (await client.reply()).status == 100
        assert (await client.ask(b"ok")).status == 200
    assert member.requests[0].body == b"<ok>"


async def test_a_whole_response_may_be_replaced(folder, member):
    reply = await asked(folder, member, get("/secret"), "whole")
    assert (reply.status, reply.body) == (502, b"withheld")


async def test_a_response_over_the_limit_fails_closed(folder):
    async with Member(answering(response(body=b"x" * 1001))) as member:
        reply = await asked(folder, member, get(), "whole")
    assert (reply.status, b"x" * 9 in reply.body) == (500, False)


async def test_a_response_over_the_limit_passes_untouched_if_it_fails_open(folder):
    async with Member(answering(response(body=b"x" * 300_000))) as member:
        reply = await asked(folder, member, get(), {"whole": {"on_error": "fail_open"}})
    assert (reply.status, reply.body) == (200, b"x" * 300_000)


async def test_head_and_304_have_no_content_for_a_phase(folder):
    async with Member(answering(response(b"", "ETag: x", status=304, length=False))) as member:
        reply = await asked(folder, member, get(), "whole")
        assert (reply.status, reply.body) == (304, b"")


async def test_security_headers_are_added_where_the_application_has_none(folder):
    answer = response(b"ok", "X-Frame-Options: DENY", "Server: old/1.0")
    async with Member(answering(answer)) as member:
        reply = await asked(folder, member, get(), "security_headers")
    assert reply[b"x-frame-options"] == b"DENY"
    assert reply[b"x-content-type-options"] == b"nosniff"
    assert b"server" not in reply


async def test_an_upgrade_passes_the_heads_and_then_is_left_alone(folder):
    async def script(conversation):
        await conversation.head()
        await conversation.send(
            b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        await conversation.send(await conversation.some())

    async with (
        Member(script) as member,
        serving(folder, config(member.address, **route("whole", "pieces", folder=folder))) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(get("/", "Connection: upgrade", "Upgrade: websocket"))
        assert reply.status == 101
        await client.send(b"aaa")
        assert await client.exactly(3) == b"aaa"


async def test_content_that_nobody_read_does_not_become_the_next_request(folder, member):
    async with (
        serving(folder, config(member.address, **route({"tag": {"answer": True}}, folder=folder))) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/", "Content-Length: 500", method="POST"))
        reply = await client.reply()
        assert (reply.status, reply[b"connection"]) == (403, b"close")


async def test_a_member_that_breaks_off_a_held_response_is_an_error_and_no_half_response(folder):
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"

    async def script(conversation):
        await conversation.request()
        await conversation.send(cut)

    async with Member(script) as member:
        reply = await asked(folder, member, post(b"x"), "whole")
    assert (reply.status, b"half" in reply.body) == (502, False)


_ON_A_TIMER = ("tick", "_on_tick", "_look")


async def calls_of_the_proxy(folder, *plugins):
    """How often each function of adc is called for one request on a connection that is warm."""
    route_of = {"route": {"pool": None, "respond": {"status": 200}, "plugins": list(plugins)}}
    mapping = config("127.0.0.1:1", plugin_paths=[str(folder / "plugins")], **route_of)
    del mapping["routes"][0]["pool"]
    counted = Counter()

    def count(frame, event, argument):
        code = frame.f_code
        if event == "call" and "/adc/" in code.co_filename and code.co_name not in _ON_A_TIMER:
            counted[code.co_filename.rpartition("/adc/")[2], code.co_name] += 1

    async with serving(folder, mapping) as proxy, proxy.client() as client:
        await client.ask(get())
        sys.setprofile(count)
        try:
            await client.ask(get())
        finally:
            sys.setprofile(None)
    return {key: number for key, number in counted.items() if key[0].startswith(("plugin/", "proxy/"))}


@pytest.mark.skipif(compiled(), reason="calls of compiled functions cannot be counted; see ADC_COMPILED=0")
async def test_a_route_without_plugin_phases_has_no_trace_of_plugins(folder):
    (folder / "plugins" / "idle.py").write_text(
        "from adc.plugin import NoOptions, Plugin\n\n\nclass Idle(Plugin[NoOptions]):\n    pass\n"
    )
    plain = await calls_of_the_proxy(folder)
    assert plain
    assert not [file for file, _ in plain if "plugin" in file]
    assert await calls_of_the_proxy(folder, "idle", "idle") == plain
    assert [file for file, _ in await calls_of_the_proxy(folder, "tag") if "plugin" in file]
