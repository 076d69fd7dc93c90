"""Authentication of a connection instead of a request (NTLM, and Negotiate in servers' practice): RFC 9110 section
11.2.

Such a scheme breaks the rule that each request stands alone: all later requests on the connection count as the
authenticated client's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from adc.http.message import Request

_SCHEMES: Final = (b"ntlm", b"negotiate")
_LONGEST: Final = max(map(len, _SCHEMES))


def authenticates_connection(credentials: bytes) -> bool:
    """True if `credentials`, the lines of `Authorization` as one list, authenticate a connection."""
    return any(_scheme(each.strip(b" \t")) in _SCHEMES for each in credentials.split(b","))


def offers_connection(challenges: Iterable[bytes]) -> bool:
    """True if one of the values of `WWW-Authenticate` requests credentials of a connection."""
    return any(_scheme(each.strip(b" \t")) in _SCHEMES for value in challenges for each in value.split(b","))


def is_tied(request: Request) -> bool:
    """True if the response to `request` may be for its client connection alone, independent of its fields."""
    if request.tied:
        return True
    credentials = request.proxy_fields.get(b"authorization")
    return credentials is not None and authenticates_connection(credentials)


def _scheme(value: bytes) -> bytes:
    found = value[: _LONGEST + 1].split(None, 1)
    return found[0].lower() if found else b""
