"""Which names may stand in a trailer section, and in its announcement."""

import pytest

from adc.http.trailers import announceable, divide_trailers, may_trail


@pytest.mark.parametrize(
    "name",
    [
        b"Server-Timing",
        b"grpc-status",
        b"Grpc-Message",
        b"Digest",
        b"Content-Digest",
        b"ETag",
        b"Authentication-Info",
        b"X-Checksum",
        b"x_checksum",
    ],
)
def test_name_that_says_something_about_the_finished_message_may_trail(name):
    assert may_trail(name)


@pytest.mark.parametrize(
    "name",
    [
        *(b"Content-Length", b"transfer-encoding", b"Connection", b"Trailer", b"TE", b"Upgrade", b"Expect"),
        *(
            b"Host",
            b"Max-Forwards",
            b"Forwarded",
            b"X-Forwarded-For",
            b"X-Real-IP",
            b"Via",
            b"X-Original-URL",
        ),
        *(b"Authorization", b"Cookie", b"Set-Cookie", b"WWW-Authenticate", b"Proxy-Authorization"),
        *(b"Cache-Control", b"If-Match", b"If-Range", b"Range", b"Pragma", b"X-HTTP-Method-Override"),
        *(b"Age", b"Date", b"Expires", b"Location", b"Retry-After", b"Vary", b"Warning"),
        *(b"Content-Type", b"Content-Encoding", b"Content-Range"),
        *(b"x-adc-client", b"Sec-WebSocket-Key", b"Proxy", b"X-Request-Id", b"traceparent"),
    ],
)
@pytest.mark.parametrize("spell", [bytes, bytes.lower, bytes.upper, lambda name: name.replace(b"-", b"_")])
def test_name_that_changes_the_message_is_forbidden_however_spelled(name, spell):
    assert not may_trail(spell(name))


@pytest.mark.parametrize("name", [b"", b"a b", b"a:", b"a\r\nb", b"\xe4", b"a\0"])
def test_name_that_is_no_token_is_forbidden(name):
    assert not may_trail(name)


def test_trailers_are_divided_in_order_with_repeated_names():
    fields = [(b"A", b"1"), (b"Host", b"b"), (b"A", b"2"), (b"set-cookie", b"c=1")]
    assert divide_trailers(fields) == ([(b"A", b"1"), (b"A", b"2")], [b"Host", b"set-cookie"])


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"X-Sum, grpc-status", b"X-Sum, grpc-status"),
        (b" X-Sum ,,Host,Content-Length", b"X-Sum"),
        (b"Host", b""),
        (b"a b, X", b"X"),
        (b"", b""),
    ],
)
def test_announcement_names_only_what_may_trail(value, kept):
    assert announceable(value) == kept
