"""The question to the service, and what becomes of its reply. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from adc.plugin import Headers, HttpReply, Request, Response

Pair = tuple[bytes, bytes]

_NOT_ASKED = frozenset(
    {
        b"accept-encoding",
        b"content-encoding",
        b"content-md5",
        b"content-type",
        b"forwarded",
        b"host",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
        b"range",
        b"via",
        b"x-real-ip",
    }
)
"""Fields about the content or the representation, and about other proxies. The service decides about the client."""

_FORWARDED = b"x-forwarded-"
_NOT_ANSWERED = frozenset(
    {
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\t -~\x80-\xff]*")
_NOT_ALPHANUMERIC = re.compile(rb"[^a-z0-9]")


def question(request: Request, client: str, names: frozenset[bytes] | None) -> list[Pair]:
    """Return the fields of the sub-request: the client's (only those with `names`, lower case, unless None) and what it
    asks for."""
    fields = [(name, value) for name, value in request.headers if _is_asked(name.lower(), names)]
    own = {
        "Method": request.method,
        "Proto": request.scheme,
        "Host": request.authority,
        "Uri": request.target,
        "For": client,
    }
    return fields + [
        (b"X-Forwarded-" + name.encode(), value.encode("latin-1", "replace")) for name, value in own.items()
    ]


def _is_asked(name: bytes, names: frozenset[bytes] | None) -> bool:
    if name in _NOT_ASKED or _NOT_ALPHANUMERIC.sub(b"-", name).startswith(_FORWARDED):
        return False
    return names is None or name in names


def copied(headers: Headers, names: Iterable[str]) -> Sequence[Pair]:
    """Return the fields of a reply that are passed on, under the names as configured; malformed ones are left out."""
    return [
        (name.encode(), value)
        for name in names
        for value in headers.get_all(name.lower().encode())
        if _VALUE.fullmatch(value)
    ]


def refusal(reply: HttpReply) -> Response | None:
    """Return the reply of the service for the client; None if it is no final response."""
    if not 300 <= reply.status <= 599:
        return None
    fields = [
        (name.decode("ascii"), value.decode("latin-1"))
        for name, value in reply.headers
        if _NAME.fullmatch(name)
        and _VALUE.fullmatch(value)
        and name.lower().decode("ascii") not in _NOT_ANSWERED
    ]
    return Response(reply.status, fields, b"" if reply.status == 304 else reply.content)
