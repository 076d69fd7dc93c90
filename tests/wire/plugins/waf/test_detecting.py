"""Detection changes nothing: the client and the member get the bytes that they get without the firewall."""

import asyncio
import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kit.client import chunked, get, post
from tests.kit.member import Member, response
from tests.kit.proxy import config, serving
from tests.wire.plugins.waf.protected import protecting

FORM = "Content-Type: application/x-www-form-urlencoded"
PAGE = "Content-Type: text/html"
ANSWERS = (
    response(b"hello", PAGE),
    response(b"an ORA-00933 error", PAGE, "ETag: x"),
    response(b"secret", "X-Secret: 1"),
    response(b"a" * 3000 + b"ORA-00933", PAGE),
    response(gzip.compress(b"ORA-00933", mtime=0), PAGE, "Content-Encoding: gzip"),
    response(b"ORA-00933, not gzip", PAGE, "Content-Encoding: gzip"),
    response(b"", "ETag: x", status=304, length=False),
    response(b"", status=204, length=False),
    response(b"no such page", PAGE, status=404),
    (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"4\r\nORA-\r\n5\r\n00933\r\n0\r\nX-Sum: 1\r\n\r\n"
    ),
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nORA-00933, to the end of the connection",
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut off",
    b"nonsense\r\n\r\n",
    b"",
)
TARGETS = (
    "/",
    "/?q=attack",
    "/redirected",
    "/dropped",
    "/teapot",
    "/switched-off?q=attack",
    "/%2e/x?password=attack",
)
BODIES = (
    b"",
    b"q=hello",
    b"q=attack",
    b"q=" + b"a" * 2000 + b"attack",
    gzip.compress(b"q=attack", mtime=0),
    b"{",
)
FIELDS = (
    FORM,
    "Content-Type: application/json",
    "Content-Encoding: gzip",
    "Content-Encoding: x",
    "X-Noted: 1",
)
SPARE = ("TE: trailers", "Cookie: a=attack", "Accept-Encoding: gzip", "Connection: TE", "Range: bytes=0-3")


@st.composite
def exchanges(draw):
    """A request as bytes, its method, and the number of its answer."""
    number, target, framing = (
        draw(st.integers(0, len(ANSWERS) - 1)),
        draw(st.sampled_from(TARGETS)),
        draw(st.integers(0, 2)),
    )
    fields = [f"X-Answer: {number}", "X-Request-Id: fixed-0123456789abcdef"]
    fields += draw(st.lists(st.sampled_from(SPARE), unique=True, max_size=2))
    if not framing:
        method = draw(st.sampled_from(["GET", "HEAD", "OPTIONS", "DELETE"]))
        return get(target, *fields, method=method), method
    fields += draw(st.lists(st.sampled_from(FIELDS), unique=True, max_size=2))
    body = draw(st.sampled_from(BODIES))
    if framing == 1:
        return post(body, *fields, target=target), "POST"
    pieces = [piece for piece in (body[:5], body[5:]) if piece]
    return chunked(
        *pieces, fields=fields, target=target, trailers=draw(st.sampled_from([(), ("X-Sum: 1",)]))
    ), "POST"


async def _answer(conversation):
    request = await conversation.request()
    await conversation.send(ANSWERS[int(request[b"x-answer"])])


def _seen(message):
    """A message without the time of day."""
    fields = [
        field for field in message.fields if field[0] not in (b"date", b"traceparent", b"x-forwarded-for")
    ]
    return message.start, fields, message.body, message.trailers


async def _outcomes(proxy, member, cases):
    """Return for each case what the client got, and what the member got."""
    outcomes = []
    for data, method in cases:
        member.requests.clear()
        async with proxy.client() as client:
            await client.send(data)
            try:
                got = _seen(await client.reply(method))
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                got = type(error).__name__, bytes(client.received).partition(b"\r\n\r\n")[2]
        outcomes.append((got, [_seen(request) for request in member.requests]))
    return outcomes


async def _compared(folder, cases):
    async with Member(_answer) as member:
        async with serving(folder / "plain", config(member.address)) as proxy:
            plain = await _outcomes(proxy, member, cases)
        async with protecting(folder / "watched", member, mode="detect") as waf:
            watched = await _outcomes(waf.proxy, member, cases)
            records = waf.audit()
    return plain, watched, records


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases=st.lists(exchanges(), min_size=10, max_size=25))
def test_detection_changes_no_byte(tmp_path_factory, cases):
    plain, watched, _ = asyncio.run(_compared(tmp_path_factory.mktemp("detect"), cases))
    assert plain == watched


@pytest.mark.parametrize(
    ("target", "action", "status"),
    [
        ("/?q=attack", "would_deny", 403),
        ("/redirected", "would_redirect", 302),
        ("/dropped", "would_drop", 403),
    ],
)
async def test_detection_records_what_blocking_would_have_done(tmp_path, target, action, status):
    cases = [(get(target, "X-Answer: 0"), "GET")]
    _, _, (record,) = await _compared(tmp_path, cases)
    assert (record["mode"], record["action"], record["status"]) == ("detect", action, status)


async def test_detection_inspects_what_blocking_would(tmp_path):
    cases = [
        (post(b"q=attack", FORM, "X-Answer: 0"), "POST"),
        (chunked(b"q=att", b"ack", fields=[FORM, "X-Answer: 0"]), "POST"),
        (get("/", "X-Answer: 1"), "GET"),
        (get("/", "X-Answer: 2"), "GET"),
        (get("/", "X-Answer: 4"), "GET"),
        (get("/", "X-Answer: 9"), "GET"),
        (post(b"q=" + b"a" * 2000, FORM, "X-Answer: 0"), "POST"),
    ]
    _, _, records = await _compared(tmp_path, cases)
    assert [record["action"] for record in records] == ["would_deny"] * len(cases)
    assert [record["status"] for record in records] == [403] * 6 + [413]
