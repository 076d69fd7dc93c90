"""Trailers of HTTP/1.1 on both sides: read and written, or dropped by what the framing carries."""

import pytest

from adc.http.headers import Headers
from adc.http.message import Response
from tests.kit.client import chunked, get
from tests.kit.http1 import CUTS, UNKNOWN_LENGTH, WAYS, ClientSide, MemberSide, request

TRAILERS = [(b"X-Sum", b"1 2"), (b"x-empty", b""), (b"X-Sum", b"3")]
LINES = ["X-Sum:  1 2 ", "x-empty:", "X-Sum: 3"]
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


@WAYS
@pytest.mark.parametrize("chunks", [[b"ab", b"c"], []])
def test_trailers_of_a_request_end_its_content(feed, chunks):
    side = ClientSide()
    feed(side, chunked(*chunks, trailers=LINES))
    (seen,) = side.requests
    assert (seen.body, seen.trailers, seen.complete) == (b"".join(chunks), TRAILERS, True)


@WAYS
def test_trailers_belong_to_one_request(feed):
    side = ClientSide()
    feed(side, chunked(b"a", trailers=["X: 1"], target="/1") + chunked(b"b", target="/2") + get("/3"))
    assert [(each.target, each.trailers) for each in side.requests] == [
        ("/1", [(b"X", b"1")]),
        ("/2", []),
        ("/3", []),
    ]


def only_refusal(side):
    (refused,) = [*side.refused, *[each.refused for each in side.requests if each.refused is not None]]
    return refused


@WAYS
@pytest.mark.parametrize("name", ["Host", "content_length", "Authorization", "X-Forwarded-For", "Trailer"])
def test_forbidden_trailer_of_a_request_is_refused_by_name(feed, name):
    side = ClientSide()
    feed(side, chunked(b"a", trailers=["X: 1", f"{name}: x"]))
    refused = only_refusal(side)
    assert (refused.status, refused.reason) == (400, "bad_request")
    assert refused.detail == f"the trailer field {name} is forbidden"
    assert side.transport.ended == "eof"


@WAYS
@pytest.mark.parametrize(
    ("trailers", "limits"),
    [(["X: y"] * 11, {"header_count": 10}), (["X: " + "y" * 600] * 2, {"header_bytes": 1000})],
)
def test_trailers_of_a_request_over_the_limits_of_a_header_are_refused(feed, trailers, limits):
    side = ClientSide(**limits)
    feed(side, chunked(b"a", trailers=trailers))
    assert (only_refusal(side).status, only_refusal(side).reason) == (431, "limit_head")


@CUTS
@pytest.mark.parametrize("content", [b"3\r\nabc\r\n", b""])
def test_trailers_of_a_response_end_it_and_the_connection_is_used_again(feed, content):
    side = MemberSide()
    feed(side, HEAD + b"\r\n" + content + b"0\r\n" + "\r\n".join([*LINES, "", ""]).encode())
    seen = side.receiver
    assert (seen.body, seen.trailers, seen.complete) == (content[3:6], TRAILERS, True)
    assert side.link.idle == 1
    assert seen.head.headers == Headers([])


@WAYS
def test_trailers_of_a_request_that_connection_names_are_dropped(feed):
    side = ClientSide()
    feed(side, chunked(b"a", trailers=["X-Hop: 1", "X-Sum: 2"], fields=["Connection: close, x-hop"]))
    assert [(each.trailers, each.complete) for each in side.requests] == [([(b"X-Sum", b"2")], True)]


@CUTS
def test_trailers_of_a_response_that_connection_names_are_dropped(feed):
    side = MemberSide()
    feed(side, HEAD + b"Connection: x-hop\r\n\r\n1\r\na\r\n0\r\nX-Hop: 1\r\nX-Sum: 2\r\n\r\n")
    assert (side.receiver.trailers, side.receiver.complete) == ([(b"X-Sum", b"2")], True)


@CUTS
def test_trailers_belong_to_one_response(feed):
    side = MemberSide()
    feed(side, HEAD + b"\r\n1\r\na\r\n0\r\nX: 1\r\n\r\n")
    side.send(request())
    feed(side, HEAD + b"\r\n1\r\nb\r\n0\r\n\r\n")
    assert (side.receiver.body, side.receiver.trailers) == (b"b", [])


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (b"X: 1\r\nbad line\r\nY: 2\r\n", [(b"X", b"1"), (b"Y", b"2")]),
        (b"X: 1\r\n folded\r\n again\r\nY: 2\r\n", [(b"Y", b"2")]),
        (b"X : 1\r\nY: 2\r\n", [(b"Y", b"2")]),
    ],
)
def test_malformed_trailers_of_a_member_are_dropped_alone(lines, kept):
    side = MemberSide()
    side.receive(HEAD + b"\r\n1\r\na\r\n0\r\n" + lines + b"\r\n")
    assert (side.receiver.body, side.receiver.trailers, side.receiver.complete) == (b"a", kept, True)


def test_too_many_trailers_of_a_member_fail_the_response():
    side = MemberSide()
    side.receive(HEAD + b"\r\n1\r\na\r\n0\r\n" + b"X: y\r\n" * 1001 + b"\r\n")
    assert not side.receiver.complete
    assert side.receiver.detail == "the trailer section has over 1000 fields"
    assert side.transport.ended == "abort"


def test_receiver_that_aborts_at_the_head_gets_no_trailers():
    side = MemberSide()
    side.receiver.response_head = lambda response, body, end: side.connection.abort()
    side.receive(HEAD + b"\r\n1\r\na\r\n0\r\nX: y\r\n\r\n")
    assert (side.receiver.trailers, side.link.idle, side.transport.ended) == ([], 0, "abort")


# Responses to clients.


def answered(data, fields, trailer=b"", length=UNKNOWN_LENGTH):
    """(was sent, what a client got) for a response that ends with trailers."""
    side = ClientSide(answers=False)
    side.receive(data)
    (exchange,) = side.requests
    response = Response(200, Headers(), b"", length)
    response.trailer = trailer
    exchange.stream.send_head(response, b"", False)
    exchange.stream.send_body(b"abc", False)
    sent = exchange.stream.send_trailers(fields)
    side.loop.run()
    return sent, side.sent


def test_trailers_end_a_chunked_response():
    sent, data = answered(get("/", "TE: trailers"), TRAILERS, b"X-Sum")
    assert sent
    assert b"\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n" in data
    assert data.endswith(b"\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1 2\r\nx-empty: \r\nX-Sum: 3\r\n\r\n")


def test_trailers_are_not_announced_to_a_client_that_takes_none():
    assert b"Trailer" not in answered(get("/"), TRAILERS, b"X-Sum")[1]


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (get("/", "TE: trailers", version="1.0"), UNKNOWN_LENGTH),
        (get("/", "TE: trailers"), 3),
        (get("/", "TE: trailers", method="HEAD"), UNKNOWN_LENGTH),
    ],
)
def test_framing_without_trailers_ends_the_response_without_them(data, length):
    sent, data = answered(data, TRAILERS, b"X-Sum", length)
    assert not sent
    assert b"X-Sum" not in data
    assert b"chunked" not in data


@pytest.mark.parametrize(
    "field",
    [
        (b"X", b"a\r\nSet-Cookie: b"),
        (b"X", b"a\nb"),
        (b"X", b"a\0"),
        (b"X\r\nY", b"a"),
        (b"", b"a"),
        (b"X:", b""),
    ],
)
def test_trailers_cannot_split_a_response(field):
    with pytest.raises(ValueError, match="malformed"):
        answered(get("/", "TE: trailers"), [field])


# Requests to members.


def test_trailers_end_a_chunked_request():
    side = MemberSide(request("POST", UNKNOWN_LENGTH), b"ab", False)
    assert side.connection.send_trailers(TRAILERS)
    side.loop.run()
    assert side.sent.endswith(b"\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 1 2\r\nx-empty: \r\nX-Sum: 3\r\n\r\n")


def test_request_with_a_length_ends_without_trailers():
    side = MemberSide(request("POST", 2), b"", False)
    side.connection.send_body(b"ab", False)
    assert not side.connection.send_trailers(TRAILERS)
    side.loop.run()
    assert side.sent.endswith(b"\r\n\r\nab")


def test_request_announces_the_trailers_that_may_be_passed_on():
    made = request("POST", UNKNOWN_LENGTH)
    made.proxy_fields[b"trailer"] = b"X-Sum, Host"
    side = MemberSide(made, b"", False)
    assert b"\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n" in side.sent


def test_request_without_chunks_announces_no_trailers():
    made = request("POST", 2)
    made.proxy_fields[b"trailer"] = b"X-Sum"
    assert b"Trailer" not in MemberSide(made, b"ab").sent


@pytest.mark.parametrize(
    ("attributes", "lines"),
    [
        ({}, b""),
        ({"takes_trailers": True}, b"Connection: TE\r\nTE: trailers\r\n"),
        ({"upgrade": b"h2c"}, b"Connection: upgrade\r\nUpgrade: h2c\r\n"),
        (
            {"takes_trailers": True, "upgrade": b"h2c"},
            b"Connection: upgrade, TE\r\nUpgrade: h2c\r\nTE: trailers\r\n",
        ),
    ],
)
def test_member_is_told_that_the_client_takes_trailers(attributes, lines):
    assert MemberSide(request(**attributes)).sent == b"GET / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n"


@pytest.mark.parametrize(
    ("te", "takes"),
    [("trailers", True), ("Trailers", True), ("gzip;q=0.5, trailers", True), ("gzip", False), ("", False)],
)
def test_request_takes_trailers_if_te_says_so(te, takes):
    side = ClientSide()
    side.receive(get("/", f"TE: {te}"))
    assert side.requests[0].request.takes_trailers is takes


# The version received.


@CUTS
@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("fields", [b"Connection: keep-alive\r\nContent-Length: 1\r\n", b""])
def test_response_tells_the_version_in_which_it_was_received(feed, version, fields):
    side = MemberSide()
    feed(side, b"HTTP/" + version.encode() + b" 200 OK\r\n" + fields + b"\r\na")
    side.end()
    assert (side.receiver.head.version, side.receiver.body) == (version, b"a")
