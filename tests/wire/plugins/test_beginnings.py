"""Plugins that inspect the beginning of content, and plugins that only observe."""

import pytest

from tests.kit.client import chunked, get, post
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually
from tests.wire.plugins.plugged import asked, plugin_of, route

KINDS = ["begins", "begins_later"]


async def exchanged(folder, member, data, *plugins, method="GET"):
    """The reply to `data`, and what the first plugin inspected."""
    mapping = config(member.address, **route(*plugins, folder=folder))
    async with serving(folder, mapping) as proxy, proxy.client() as client:
        reply = await client.ask(data, method)
        return reply, plugin_of(proxy).seen


@pytest.mark.parametrize("plugin", KINDS)
async def test_beginning_is_inspected_once_and_the_rest_passes(folder, plugin):
    page = b"r" * 100_000
    async with Member(answering(response(page))) as member:
        reply, seen = await exchanged(folder, member, post(b"q" * 200_000), plugin)
        assert member.requests[0].body == b"q" * 200_000
    assert reply.body == page
    assert seen == [("request", b"q" * 10, False), ("response", b"r" * 10, False)]


@pytest.mark.parametrize("plugin", KINDS)
@pytest.mark.parametrize("data", [post(b"short"), chunked(b"sh", b"ort")])
async def test_content_below_the_limit_is_inspected_whole(folder, member, data, plugin):
    _, seen = await exchanged(folder, member, data, plugin)
    assert seen[0] == ("request", b"short", True)


@pytest.mark.parametrize("plugin", KINDS)
async def test_inspected_content_keeps_its_framing(folder, member, plugin):
    options = {plugin: {"most": 3}}
    await exchanged(folder, member, post(b"12345"), options)
    await exchanged(folder, member, chunked(b"12", b"345"), options)
    first, second = member.requests
    assert (first[b"content-length"], first.body) == (b"5", b"12345")
    assert (second[b"transfer-encoding"], second.body) == (b"chunked", b"12345")


async def test_response_with_inspected_content_keeps_its_length(folder):
    async with Member(answering(response(b"x" * 50))) as member:
        reply, _ = await exchanged(folder, member, get(), "begins")
    assert (reply[b"content-length"], reply.body) == (b"50", b"x" * 50)


@pytest.mark.parametrize("plugin", KINDS)
async def test_replaced_beginning_is_followed_by_the_rest(folder, plugin):
    async with Member(answering(response(b"0123456789ABC"))) as member:
        reply, _ = await exchanged(folder, member, post(b"abcdefghijklm"), {plugin: {"replace": True}})
        assert member.requests[0].body == b"<abcdefghij>klm"
    assert reply.body == b"<0123456789>ABC"


@pytest.mark.parametrize("plugin", KINDS)
async def test_beginning_is_judged_before_a_member_is_asked(folder, member, plugin):
    reply = await asked(folder, member, chunked(b"att", b"ack", b"x" * 99), plugin)
    assert (reply.status, reply.body, member.requests) == (403, b"blocked", [])


@pytest.mark.parametrize("plugin", KINDS)
async def test_response_is_withheld_until_its_beginning_was_judged(folder, plugin):
    async with Member(answering(response(b"attack" + b"x" * 99_999))) as member:
        reply = await asked(folder, member, get(), plugin)
    assert (reply.status, reply.body) == (403, b"blocked")


@pytest.mark.parametrize("plugin", KINDS)
@pytest.mark.parametrize(
    "data", [get(), post(b""), b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]
)
async def test_message_without_content_is_inspected_once_too(folder, data, plugin):
    async with Member(answering(response(b""))) as member:
        reply, seen = await exchanged(folder, member, data, plugin)
    assert (reply.status, seen) == (200, [("request", b"", True), ("response", b"", True)])


@pytest.mark.parametrize("plugin", KINDS)
async def test_response_to_head_is_inspected_and_has_no_content(folder, plugin):
    async with Member(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")) as member:
        data = get(method="HEAD")
        reply, seen = await exchanged(folder, member, data, {plugin: {"replace": True}}, method="HEAD")
    assert (reply[b"content-length"], seen[1]) == (b"7", ("response", b"", True))


async def test_upgrade_offered_with_content_to_inspect_is_not_forwarded(folder, member):
    fields = ["Connection: upgrade", "Upgrade: h9"]
    data = post(b"attack", *fields)
    reply = await asked_with_upgrades(folder, member, data)
    assert (reply.status, member.requests) == (403, [])


async def asked_with_upgrades(folder, member, data):
    mapping = config(member.address, **route("begins", folder=folder))
    mapping["routes"][0]["upgrades"] = ["h9"]
    async with serving(folder, mapping) as proxy, proxy.client() as client:
        return await client.ask(data)


@pytest.mark.parametrize("plugin", KINDS)
@pytest.mark.parametrize("data", [post(b"attack"), post(b"raise"), chunked(b"att", b"ack"), get()])
async def test_observer_inspects_and_changes_nothing(folder, plugin, data):
    answer = response(b"raise the attack", "ETag: x")
    async with Member(answering(answer)) as member:
        plain = await asked(folder, member, data)
        options = {plugin: {"observes": True, "replace": True}}
        watched, seen = await exchanged(folder, member, data, options)
        assert _comparable(member.requests[0]) == _comparable(member.requests[1])
    assert _comparable(plain) == _comparable(watched)
    assert len(seen) == 2


def _comparable(message):
    """A message without what differs from request to request."""
    varies = (b"x-request-id", b"date", b"traceparent")
    return message.start, [field for field in message.fields if field[0] not in varies], message.body


async def test_observer_does_not_withhold_content(folder, member):
    mapping = config(member.address, **route({"begins": {"observes": True, "most": 1000}}, folder=folder))
    async with serving(folder, mapping) as proxy, proxy.client() as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
        await eventually(lambda: b"abc" in member.received)
        assert plugin_of(proxy).seen == []
        assert (await client.ask(b"def")).status == 200
        assert plugin_of(proxy).seen[0] == ("request", b"abcdef", True)
