"""Heads that aiohttp's parser does not know: other methods, versions, and fields that come twice."""

import pytest

from adc.compilation import compiled
from tests.kit.client import chunked, get, post
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually, settled
from tests.wire.test_call_budget import Calls

METHODS = [
    *(
        "LIST",
        "VERSION-CONTROL",
        "CHECKIN",
        "BITS_POST",
        "FOO",
        "GETX",
        "GE",
        "PR",
        "PRI",
        "PRIX",
        "G",
        "get",
        "Post",
    ),
    *(
        "M-SEARCH",
        "PLAY",
        "FLUSH",
        "SOURCE",
        "GET_PARAMETER",
        "connectx",
        "CONNECTED",
        "!#$%&'*+-.^_`|~",
        "M" * 64,
    ),
]


@pytest.mark.parametrize("method", METHODS)
async def test_any_token_is_a_method(proxy, client, member, method):
    requests = [
        get("/1", method=method),
        post(b"abc", target="/2", method=method),
        chunked(b"abc", target="/3", method=method),
        get("/4"),
    ]
    await client.send(b"".join(requests))
    await client.reply()
    replies = [await client.reply() for _ in range(3)]
    assert [reply.status for reply in replies] == [200] * 3
    assert [(request.method, request.body) for request in member.requests] == [
        (method, b""),
        (method, b"abc"),
        (method, b"abc"),
        ("GET", b""),
    ]
    assert [record["method"] for record in proxy.access_log()] == [method] * 3 + ["GET"]


async def test_a_pipeline_of_unusual_heads_survives_every_cut(proxy, member):
    data = (
        post(b"a", "ETag: 1", "etag: 2", target="/1", method="LIST")
        + get("/2", version="1.3", method="GETX")
        + chunked(b"c", target="/3", method="PR")
    )
    for cut in range(1, len(data)):
        async with proxy.client() as client:
            await client.send(data[:cut])
            await settled(1)
            await client.send(data[cut:])
            starts = [(await client.reply()).body.split(b" HTTP")[0] for _ in range(3)]
            assert starts == [b"LIST /1", b"GETX /2", b"PR /3"]


@pytest.mark.parametrize("step", [1, 3])
async def test_an_unusual_head_may_come_in_parts(proxy, client, step):
    data = get("/1", "Server: a", "Server: b", version="1.9", method="LIST")
    for start in range(0, len(data), step):
        await client.send(data[start : start + step])
        await settled(1)
    assert (await client.reply()).body.startswith(b"LIST /1 HTTP/1.1\r\n")


@pytest.mark.parametrize("cut", [1, 64, 65, 66, 70])
async def test_a_method_that_is_too_long_is_501(proxy, client, cut):
    data = get(method="M" * 65)
    await client.send(data[:cut])
    await settled()
    assert (await client.ask(data[cut:])).status == 501
    assert "the method is over 64 bytes" in proxy.error_log()


async def test_an_unusual_request_line_that_never_ends_is_414(client):
    assert (await client.ask(b"FOO /" + b"x" * 9000)).status == 414


@pytest.mark.skipif(compiled(), reason="calls of compiled functions cannot be counted")
@pytest.mark.parametrize(
    "start", [b"FOO /", get("/", "User-Agent: a", "User-Agent: b", "X: ")[:-4]], ids=["line", "field"]
)
async def test_an_unusual_head_is_not_judged_anew_for_every_byte(proxy, client, start):
    with Calls() as calls:
        await client.send(start)
        await client.dribble(b"x" * 300)
        await eventually(lambda: len(calls.names) > 900)
    assert calls.names.count("RequestReader._gather") > 50
    assert calls.names.count("may_be_unusual") < 4


async def test_an_unknown_method_needs_no_fields_in_http_1_0(client):
    reply = await client.ask(get(version="1.0", host=None, method="LIST"))
    assert reply.body.startswith(b"LIST / HTTP/1.1\r\n")


@pytest.mark.parametrize("method", ["GET", "LIST"])
@pytest.mark.parametrize("blank", [b"\r\n", b"\r\n" * 2, b"\n", b"\r\n" * 5])
async def test_blank_lines_before_a_request_are_skipped_at_every_cut(proxy, blank, method):
    data = blank + get("/1", method=method) + blank + get("/2", method=method)
    for cut in [*range(12), len(data) - 30]:
        async with proxy.client() as client:
            await client.send(data[:cut])
            await settled(1)
            await client.send(data[cut:])
            starts = [(await client.reply()).body.split(b" HTTP")[0].decode() for _ in range(2)]
            assert starts == [f"{method} /1", f"{method} /2"]


async def test_a_blank_line_behind_a_request_is_no_late_head(proxy, client):
    for _ in range(2):  # what some clients send behind content
        assert (await client.ask(post(b"a") + b"\r\n")).status == 200
        await settled()
        proxy.pass_time(11)
        await settled()


async def test_a_route_may_match_an_unknown_method(tmp_path, member):
    routes = [
        {"match": {"method": ["LIST", "Bits_Post"]}, "respond": {"status": 200, "body": "list"}},
        {"pool": "app"},
    ]
    async with (
        serving(tmp_path / "2", {**config(member.address), "routes": routes}) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get(method="LIST"))).body == b"list"
        assert (await client.ask(get(method="Bits_Post"))).body == b"list"
        assert (await client.ask(get(method="list"))).body.startswith(b"list /")
        assert (await client.ask(get(method="POST"))).body.startswith(b"POST /")


@pytest.mark.parametrize("version", ["1.2", "1.9"])
async def test_later_minor_versions_are_served_as_http_1_1(client, version):
    first = await client.ask(get("/1", version=version))
    assert first.body.startswith(b"GET /1 HTTP/1.1\r\n")
    assert b"connection" not in first
    assert (await client.ask(chunked(b"abc").replace(b"HTTP/1.1", b"HTTP/" + version.encode()))).status == 200


@pytest.mark.parametrize("version", ["2.0", "3.0", "9.9"])
@pytest.mark.parametrize("method", ["GET", "LIST", "PRI"])
async def test_another_major_version_is_505(client, version, method):
    assert (await client.ask(get(version=version, method=method))).status == 505


async def test_the_preface_of_http_2_is_505(client):
    assert (await client.ask(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).status == 505


@pytest.mark.parametrize("version", ["1.10", "1", "x", "1.x", "11.1", "1.1x", "0.9", ""])
async def test_a_malformed_version_is_400(client, version):
    assert (await client.ask(get(version=version))).status == 400


TWICE = {
    "user-agent": ["User-Agent: a", "User-Agent: b"],
    "content-type": ["Content-Type: text/a", "content-type: text/b"],
    "three": ["ETag: a", "X: 1", "ETAG: b", "Etag: c"],
    "others": [
        *("Content-Location: /a", "Content-Range: bytes 0-1/2", "Max-Forwards: 1", "Server: a"),
        *("Content-Location: /b", "Content-Range: bytes 0-1/3", "Max-Forwards: 2", "Server: b"),
    ],
    "of a draft of websocket": ["Sec-WebSocket-Key1: a", "Sec-WebSocket-Key1: b"],
    "with names that stand in": ["User-Agent: a", "xxxxxxxxxx: b", "User-Agent: c", "XXXXXXXXXX: d"],
    "empty": ["User-Agent:", "User-Agent:", "User-Agent: a"],
}


@pytest.mark.parametrize("fields", TWICE.values(), ids=TWICE)
async def test_fields_that_the_application_judges_reach_it_in_order(client, fields):
    reply = await client.ask(get("/", *fields))
    assert reply.status == 200
    lines = reply.body.decode("latin-1").split("\r\n")
    names = {field.partition(":")[0].lower() for field in fields}
    received = [line.strip() for line in lines if line.partition(":")[0].lower() in names]
    assert received == fields


@pytest.mark.parametrize(
    "fields",
    [["Host: a"], ["Host: b"], ["Content-Length: 0"] * 2, ["Transfer-Encoding: chunked"] * 2],
)
async def test_framing_and_host_stay_strict(client, member, fields):
    assert (await client.ask(get("/", "ETag: a", "ETag: b", *fields))).status == 400
    assert not member.received


LISTS = {
    "empty elements": ["Connection: , close,"],
    "several fields": ["Connection: x", "Connection: close"],
    "an empty field": ["Connection:", "connection: CLOSE"],
    "blanks": ["Connection: x\t ,  Close \t"],
}


@pytest.mark.parametrize("fields", LISTS.values(), ids=LISTS)
async def test_connection_is_a_list(client, fields):
    reply = await client.ask(get("/", *fields, "X: dropped"))
    assert reply[b"connection"] == b"close"
    assert b"X: dropped" not in reply.body or b"x" not in "".join(fields).encode()
    assert await client.closed()


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (",100-Continue,", 100),
        ("100-continue, 100-continue", 100),
        ("", 200),
        (",", 200),
        ("100-continue, x", 417),
    ],
)
async def test_expect_is_a_list(proxy, client, value, status):
    request = post(b"", f"Expect: {value}").replace(b"Content-Length: 0", b"Content-Length: 3")
    await client.send(request if status != 200 else request + b"abc")
    await settled()
    proxy.pass_time(2)
    assert (await client.reply()).status == status


async def test_heads_over_their_limits_are_refused_as_usual(tmp_path, member):
    listener = {"limits": {"header_bytes": "2KB", "headers": 10, "target": "256B"}}
    async with serving(tmp_path / "2", config(member.address, listener=listener)) as proxy:
        for request, status in (
            (get("/" + "x" * 300, method="LIST"), 414),
            (b"LIST /" + b"x" * 4000, 414),
            (get("/", "X: " + "x" * 3000, method="LIST"), 431),
            (get("/", *["X: " + "x" * 500] * 6, method="LIST"), 431),
            (get("/", *["X: x"] * 12, method="LIST"), 431),
            (get("/", *["ETag: x"] * 12), 431),
        ):
            async with proxy.client() as client:
                assert (await client.ask(request)).status == status
