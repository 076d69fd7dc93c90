"""Choice of the responses that are compressed.

A route with compression sends `Accept-Encoding: identity` to the member: one plain representation is fetched, checked,
transformed and cached, and compressed here, once per coding. The client's field is kept for `client_accepts`. A
response that the member coded nevertheless is passed on, or decoded for a client that does not accept its coding
(`adc.compression.decoders`).

Conditional requests go to the member unchanged. The entity tags made here are the member's with `W/` in front;
If-None-Match compares weakly (RFC 9110 section 13.1.2), so they match there, and If-Match and If-Range, which compare
strongly, fail safe: a 412, or the whole content instead of a part.
"""

from __future__ import annotations

from adc.compression.decoders import decodes
from adc.compression.negotiation import accepts, negotiate
from adc.compression.options import CompressionOptions
from adc.http.cache_control import parse_cache_control, split_list
from adc.http.headers import Headers
from adc.http.message import UNKNOWN_LENGTH, Request, Response

ACCEPT_ENCODING = b"accept-encoding"
_LEFT_ALONE = frozenset({204, 205, 206, 304})


def client_accepts(request: Request) -> bytes | None:
    """Return the client's Accept-Encoding, also after `ask_for_identity`; None if it sent none."""
    if ACCEPT_ENCODING in request.proxy_fields:
        return request.proxy_fields[ACCEPT_ENCODING] or None
    return request.headers.joined(ACCEPT_ENCODING)


def ask_for_identity(request: Request) -> None:
    """Make the request ask for plain content, and keep the client's Accept-Encoding. Once."""
    if ACCEPT_ENCODING in request.proxy_fields:
        return
    request.proxy_fields[ACCEPT_ENCODING] = request.headers.joined(ACCEPT_ENCODING) or b""
    request.headers.set(b"Accept-Encoding", b"identity")


def eligible(response: Response, options: CompressionOptions) -> bool:
    """True if `response` would be compressed for a client that accepts it: then it varies by Accept-Encoding.

    Responses that set cookies are not, since a secret beside text that an attacker chooses can be guessed by
    its compressed length (BREACH). A body of unknown length counts as large.
    """
    status, length = response.status, response.body_length
    small = length != UNKNOWN_LENGTH and length < max(options.min_size, 1)
    if small or status in _LEFT_ALONE or status < 200:
        return False
    known = response.headers.index
    content_type = known.get(b"content-type")
    return (
        content_type is not None
        and options.covers(content_type)
        and b"content-encoding" not in known
        and b"content-range" not in known
        and b"set-cookie" not in known
        and may_transform(response.headers)
    )


def not_modified_varies(response: Response, options: CompressionOptions) -> bool:
    """True if the 200 in whose place this 304 is sent varies by Accept-Encoding: then so does the 304 (RFC 9110 section
    15.4.5). A member's 304 need not say what it stands for; without a sign against it that may be content to code.
    """
    selected = response.selected
    if selected is not None:
        return eligible(selected, options) or removable_coding(selected) != b""
    headers = response.headers
    content_type = headers.get(b"content-type")
    return (content_type is None or options.covers(content_type)) and may_transform(headers)


def may_transform(headers: Headers) -> bool:
    """True if there is no `Cache-Control: no-transform` (RFC 9111 section 5.2.2.6)."""
    return b"cache-control" not in headers or "no-transform" not in parse_cache_control(
        headers.get_all(b"cache-control")
    )


def removable_coding(response: Response) -> bytes:
    """Return the one coding of `response` that can be decoded for a client that does not accept it, b"" if none."""
    codings = split_list(response.headers.joined(b"content-encoding") or b"", 2)
    coding = codings[0].lower() if len(codings) == 1 else b""
    if not decodes(coding) or response.status in (204, 205, 206) or not may_transform(response.headers):
        return b""
    return coding


def client_takes(request: Request, coding: bytes) -> bool:
    """True if the client accepts content in `coding`."""
    return accepts(client_accepts(request), coding.decode("latin-1"))


def variant_of(request: Request, response: Response, options: CompressionOptions) -> str | None:
    """Return the coding of `response` for the client, None for no change.

    Of the request only Accept-Encoding counts, of the response its head: a cache that holds the plain response can
    look for a coded variant.
    """
    if not eligible(response, options):
        return None
    return negotiate(client_accepts(request), options.codings)
