"""Requests as every room sees them."""

from adc.http.client import Client
from adc.http.headers import Headers
from adc.http.message import Request

NAMES = (
    "method target path query authority host proxy_fields body_length version scheme client source upgrade"
    " expect_continue"
)


def test_other_headers_leave_everything_else_as_it_is():
    request = Request(
        *("PUT", "/x?y", "/x", "y", "host:80", "host"),
        Headers([(b"A", b"1")]),
        *({b"host": b"host:80"}, 7, "1.0", "https", Client("192.0.2.1"), "192.0.2.2"),
    )
    request.upgrade, request.expect_continue = b"websocket", True
    other = request.with_headers(Headers([(b"B", b"2")]))
    assert other.headers.pairs == [(b"B", b"2")]
    for name in NAMES.split():
        assert getattr(other, name) == getattr(request, name), name
