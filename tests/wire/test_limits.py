"""What is too much or too slow: 408, 413, 414, 431, and error pages."""

import json

import pytest

from adc.proxy.phases import REQUEST_BODY
from tests.kit.client import chunked, get, post
from tests.kit.member import Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually, settled

LIMITS = {"limits": {"body": "1KB", "header_bytes": "2KB", "headers": 10, "target": "256B"}}


@pytest.fixture
async def member():
    async with Member() as member:
        yield member


@pytest.fixture
async def proxy(tmp_path, member):
    async with serving(tmp_path, config(member.address, listener=LIMITS)) as proxy:
        yield proxy


async def refused(proxy, client, status, reason):
    """The client got `status` and was disconnected; the reason is logged."""
    reply = await client.reply()
    assert (reply.status, reply[b"connection"]) == (status, b"close")
    client.finish_sending()
    assert await client.closed()
    assert f"reason={reason}" in proxy.error_log()
    assert proxy.access_log()[-1]["end_reason"] == reason
    return reply


TOO_MUCH = {
    "a long target": (get("/" + "x" * 300), 414, "limit_target"),
    "a long target that never ends": (b"GET /" + b"x" * 9000, 414, "limit_target"),
    "a long field": (get("/", "X: " + "x" * 3000), 431, "limit_head"),
    "many small fields": (get("/", *(f"X-{n}: 1" for n in range(20))), 431, "limit_head"),
    "fields over the limit together": (
        get("/", *(f"X-{n}: {'x' * 600}" for n in range(5))),
        431,
        "limit_head",
    ),
    "a declared length": (get("/", "Content-Length: 2000", method="POST"), 413, "limit_body"),
    "a huge declared length": (get("/", "Content-Length: 99999999999", method="POST"), 413, "limit_body"),
    "a chunked body": (chunked(b"x" * 600, b"y" * 600)[:-5], 413, "limit_body"),
}


@pytest.mark.parametrize(("data", "status", "reason"), TOO_MUCH.values(), ids=TOO_MUCH)
@pytest.mark.parametrize("way", ["whole", "in parts"])
async def test_request_over_a_limit_is_rejected(proxy, client, member, data, status, reason, way):
    if way == "whole":
        await client.send(data)
    else:
        for start in range(0, len(data), 500):
            await client.send(data[start : start + 500])
            await settled(2)
    await refused(proxy, client, status, reason)
    assert all(not request.body for request in member.requests)


async def test_413_comes_before_the_rest_of_the_body(proxy, client, member):
    await client.send(get("/", "Content-Length: 5000000", method="PUT") + b"x" * 10)
    assert (await client.reply()).status == 413
    assert not member.received


async def test_a_client_that_reads_only_after_sending_everything_still_gets_its_413(client, member):
    await client.send(get("/", "Content-Length: 20000000", method="PUT") + b"x" * 20_000_000)
    assert (await client.reply()).status == 413
    assert not member.received


async def test_a_chunked_body_over_the_limit_never_completes_at_the_member(proxy, client, member):
    head = get("/", "Transfer-Encoding: chunked", method="POST")
    await client.send(head + b"258\r\n" + b"x" * 600 + b"\r\n")
    await eventually(lambda: member.received)
    await client.send(b"258\r\n" + b"y" * 600 + b"\r\n0\r\n\r\n")
    assert (await client.reply()).status == 413
    assert member.requests == []


async def test_a_limit_that_is_just_met_is_no_refusal(proxy, client):
    target = "/" + "x" * 255
    assert (await client.ask(get(target))).status == 200
    assert (await client.ask(post(b"x" * 1024))).status == 200
    assert (await client.ask(chunked(b"x" * 1000, b"y" * 24))).status == 200


async def test_a_head_that_dribbles_is_408(proxy, client):
    for piece in (b"GET / HT", b"TP/1.1\r\n", b"Host: a\r\n"):
        await client.send(piece)
        await settled()
    proxy.pass_time(11)
    await refused(proxy, client, 408, "request_head_timeout")


async def test_more_bytes_do_not_buy_a_head_more_time(proxy, client):
    await client.send(b"GET / HT")
    await eventually(lambda: [each for each in proxy.connections if each.requests == 0])
    await settled()
    (connection,) = proxy.connections
    deadline = connection.deadline
    await client.send(b"TP/1.1\r\n")
    await settled()
    assert connection.deadline == deadline


async def test_bytes_that_arrive_as_the_time_is_up_do_not_buy_a_head_more(proxy, client):
    await client.send(b"GET / HT")
    await eventually(lambda: [each for each in proxy.connections if each._partial_head])
    (connection,) = proxy.connections
    connection._arrived = b"TP/1.1\r\n"
    proxy.pass_time(11)
    await refused(proxy, client, 408, "request_head_timeout")


async def test_a_connection_without_a_request_is_closed_in_silence(proxy, client):
    await eventually(lambda: proxy.connections)
    proxy.pass_time(11)
    assert await client.closed()


async def test_an_idle_connection_is_closed_after_the_keep_alive_time(proxy, client):
    await client.ask(get())
    proxy.pass_time(70)
    await settled()
    assert proxy.connections
    proxy.pass_time(76)
    assert await client.closed()


async def test_a_body_that_stalls_is_408(proxy, client, member):
    await client.send(get("/", "Content-Length: 10", method="POST") + b"abc")
    await eventually(lambda: b"abc" in member.received)
    proxy.pass_time(31)
    await refused(proxy, client, 408, "request_body_timeout")
    assert "no content for timeouts.request_body, 30 s: 3 bytes came, " in proxy.error_log()
    await eventually(lambda: proxy.links[0].connections == 0)


async def test_an_error_page_is_html_by_default_and_names_the_request(proxy, client):
    reply = await client.ask(get("/", "X-Request-Id: my-very-own-id", "Expect: nonsense"))
    assert reply.status == 417
    reply_type = reply[b"content-type"]
    assert reply_type == b"text/html; charset=utf-8"
    assert reply[b"x-request-id"] in reply.body


async def test_no_route_is_404_and_the_connection_stays(tmp_path, member):
    setting = config(member.address, route={"match": {"path": "/known"}})
    async with serving(tmp_path, setting) as proxy, proxy.client() as client:
        page = await client.ask(get("/<script>", "Accept: text/html", "X-Request-Id: <b>id</b>"))
        assert page.status == 404
        assert b"<script>" not in page.body
        assert b"<b>id" not in page.body
        data = await client.ask(get("/x", "Accept: application/json", "X-Request-Id: my-own-id-0001"))
        told = json.loads(data.body)
        assert (told["status"], told["request_id"]) == (404, "my-own-id-0001")
        assert b"Traceback" not in page.body + data.body
        assert (await client.ask(get("/known"))).status == 200


@pytest.mark.parametrize("method", ["CONNECT", "TRACE"])
async def test_connect_and_trace_are_not_served(proxy, client, member, method):
    target = "a:80" if method == "CONNECT" else "/"
    reply = await client.ask(get(target, method=method))
    assert (reply.status, reply[b"connection"]) == (405, b"close")
    assert b"CONNECT" not in reply[b"allow"]
    assert not member.received


async def test_a_worker_with_its_connections_used_up_turns_more_away(tmp_path, member):
    setting = config(member.address, listener={"limits": {"connections": 1}})
    async with serving(tmp_path, setting) as proxy, proxy.client() as first:
        assert (await first.ask(get())).status == 200
        async with proxy.client() as second:
            reply = await second.ask(get())  # one that says nothing is closed after two seconds
            assert reply.status == 503
            await second.closed()
        assert (await first.ask(get())).status == 200


async def test_content_that_drips_is_cut_off_although_it_never_stops(proxy, client, member):
    await client.send(get("/", "Content-Length: 1000", method="POST") + b"x")
    await eventually(lambda: proxy.listener.service.active)
    (exchange,) = proxy.listener.service.active
    await eventually(lambda: exchange.phase is REQUEST_BODY)
    first = exchange.deadline
    for _ in range(3):
        proxy.advance_clock(8)  # less than the time limit of one byte
        await client.send(b"x")
        await settled()
    assert exchange.deadline - first < 1
    proxy.listener.service.tick(first + 1)
    reply = await client.reply()
    assert reply.status == 408
    assert reply[b"proxy-status"] == b'adc; error=http_request_error; details="request_body_timeout"'
    assert proxy.access_log()[-1]["end_reason"] == "request_body_timeout"
    assert "slower than limits.body_rate, 500 bytes a second: 4 bytes came, " in proxy.error_log()


async def test_content_at_a_steady_rate_may_take_any_time(proxy, client, member):
    await client.send(get("/", "Content-Length: 1000", method="POST") + b"x" * 100)
    await eventually(lambda: proxy.listener.service.active)
    (exchange,) = proxy.listener.service.active
    await eventually(lambda: exchange.phase is REQUEST_BODY)
    proxy.listener.service.request_body_rate = 10
    first = exchange.deadline
    await client.send(b"x" * 300)
    await eventually(lambda: exchange.bytes_in == 400)
    assert exchange._content_due >= first + 29
