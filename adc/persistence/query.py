"""Clients identified by a query parameter."""

from __future__ import annotations

from urllib.parse import unquote_plus

from adc.http.message import Request
from adc.persistence.identity import secret_key
from adc.persistence.table import KeyOf

_MAX_PARAMETERS = 100


def query_key(name: str) -> KeyOf[Request]:
    """Return the first parameter called `name`, kept as a digest: a value in a query is often a session id."""

    def key(request: Request) -> bytes | None:
        if not request.query:
            return None
        for part in request.query.split("&", _MAX_PARAMETERS)[:_MAX_PARAMETERS]:
            written, _, value = part.partition("=")
            if value and (written == name or unquote_plus(written) == name):
                return secret_key(unquote_plus(value))
        return None

    return key
