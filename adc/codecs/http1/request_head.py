"""From a parsed head to a `Request`, or a refusal with its reason. No I/O."""

from __future__ import annotations

from typing import Final

from adc.codecs.aiohttp_parser import http_exceptions
from adc.codecs.http1.parsed_head import ParsedHead
from adc.codecs.refused import Refused as Refused
from adc.http.client import Client
from adc.http.fields import divide, elements, tokens
from adc.http.headers import Headers
from adc.http.message import NO_BODY, UNKNOWN_LENGTH, Request
from adc.http.target import (
    ASTERISK,
    BadHost,
    BadTarget,
    Target,
    parse_host,
    parts_of,
    split_absolute,
    split_target,
)
from adc.http.upgrade import name_of, passable

_NO_HOST: Final = (b"Host", b"")
"""The Host of an HTTP/1.0 request without one (RFC 9112 section 3.2): a member is sent HTTP/1.1."""


def bad_request(detail: str) -> Refused:
    """Return a refusal for a malformed or ambiguous message."""
    return Refused(400, "bad_request", detail)


_CONTINUE: Final = frozenset({b"100-continue"})
_LONGEST_KNOWN: Final = 255
_MOST_KNOWN: Final = 1024
_HOSTS: Final[dict[str, str]] = {}
"""Hosts of authorities: they are few and come again. Only short ones are kept."""


def refusal_of(error: Exception, target_limit: int) -> Refused:
    """Return the rejection for a parser's error."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, http_exceptions.LineTooLong):
        if error.args[1] == target_limit:
            return Refused(414, "limit_target", f"the target is over {target_limit} bytes")
        return Refused(431, "limit_head", "a header field is over the limit of the header block")
    text = str(getattr(error, "message", "") or error)
    if text.startswith("Too many headers"):
        return Refused(431, "limit_head", "too many header fields")
    return bad_request(text.split("\n\n")[0].replace("\n", " ").strip() or type(error).__name__)


def read_head(head: ParsedHead, client: Client) -> Request:
    """Return a checked `Request` of `client`.

    Raises `Refused` for what llhttp lets through and a proxy must not: versions other than 1.0 and 1.1,
    transfer codings other than one `chunked` (RFC 9112 section 6.1), CONNECT and TRACE, a bad target or Host
    (section 3.2).
    """
    major, minor = head.major, head.minor
    if major != 1:
        if major == 0:
            raise bad_request("HTTP/0.9 is not served")
        raise Refused(505, "bad_request", f"HTTP/{major}.{minor} does not begin like this")
    version, scheme = "1.1" if minor else "1.0", client.scheme
    method = head.method
    if method in ("CONNECT", "TRACE"):
        raise Refused(405, "denied", f"{method} is not served")
    if head.special is None:
        lines, proxy_fields, spoofable = divide(head.lines)
    else:
        lines, proxy_fields, spoofable = head.kept, head.special, head.spoofable
    body_length = NO_BODY
    if not head.framed:
        pass
    elif b"transfer-encoding" in proxy_fields:
        if proxy_fields[b"transfer-encoding"].lower() != b"chunked" or minor == 0:
            raise bad_request("only the transfer coding `chunked` of HTTP/1.1 is understood")
        if b"content-length" in proxy_fields:
            raise bad_request("a message has Content-Length or Transfer-Encoding, not both")
        body_length = UNKNOWN_LENGTH
    elif b"content-length" in proxy_fields:
        body_length = int(proxy_fields[b"content-length"])
    target, authority = head.target, proxy_fields.get(b"host", b"").decode("latin-1")
    try:
        if target[0] == "/":
            path, query, plain = parts_of(target)
        else:
            target, authority, (path, query, plain), named = _other_form(method, target, authority)
            if (
                named and method == "PURGE"
            ):  # the listener that receives it need not be the one of the purged URL
                scheme = named
            lines = [pair for pair in lines if pair[0].lower() != b"host"]
            proxy_fields[b"host"] = authority.encode("ascii", "replace")
            lines.insert(0, (b"Host", proxy_fields[b"host"]))
        if authority or minor:
            host = _HOSTS.get(authority) or _new_host(authority)
        else:
            host = ""
            if b"host" not in proxy_fields:
                lines.append(_NO_HOST)
    except (BadTarget, BadHost) as error:
        raise bad_request(str(error)) from None
    request = Request(
        method,
        target,
        path,
        query,
        authority,
        host,
        Headers(lines),
        proxy_fields,
        body_length,
        version,
        scheme,
        client,
    )
    request.plain = plain
    request.spoofable = spoofable
    request.selecting = head.selecting
    request.received_target = head.target
    request.received_lines = head.lines
    if head.upgrade and minor:
        request.upgrade = _offer(request, passable(proxy_fields.get(b"upgrade", b"")))
    if head.asking and minor:
        if b"te" in proxy_fields:
            request.takes_trailers = b"trailers" in tokens(proxy_fields[b"te"])
        if b"expect" in proxy_fields:
            _read_expectation(request, proxy_fields[b"expect"])
    return request


def _new_host(authority: str) -> str:
    """Return the host of a Host field, and keep it. Raises BadHost."""
    host = parse_host(authority)
    if len(authority) <= _LONGEST_KNOWN:
        if len(_HOSTS) >= _MOST_KNOWN:
            _HOSTS.clear()
        _HOSTS[authority] = host
    return host


def _other_form(method: str, target: str, authority: str) -> tuple[str, str, Target, str]:
    """Target, authority, parts and scheme of a request in asterisk- or absolute-form (RFC 9112 section 3.2)."""
    if target == "*":
        if method != "OPTIONS":
            raise bad_request("the target `*` is for OPTIONS only")
        return target, authority, ASTERISK, ""
    named, authority, origin = split_absolute(target)
    return origin, authority, split_target(origin), named


def _offer(request: Request, offer: bytes) -> bytes:
    """Return what of `offer` the request may ask for; its route decides further.

    A request is served as if it did not offer the rest (RFC 9110 section 7.8). WebSocket begins with a GET without
    content (RFC 6455 section 4.1); the end of chunked content would have to be found in the middle of what follows.
    """
    if request.body_length == UNKNOWN_LENGTH:
        return b""
    if request.method != "GET" or request.body_length != NO_BODY:
        return b", ".join([each for each in elements(offer) if name_of(each) != b"websocket"])
    return offer


def _read_expectation(request: Request, value: bytes) -> None:
    expectations = tokens(value)
    if expectations - _CONTINUE:
        raise Refused(417, "bad_request", "the only expectation understood is 100-continue")
    request.expect_continue = bool(expectations) and request.body_length != NO_BODY
