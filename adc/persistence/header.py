"""Clients identified by a request field."""

from __future__ import annotations

from adc.http.message import Request
from adc.persistence.identity import plain_key, secret_key
from adc.persistence.table import KeyOf

_SECRET_FIELDS = frozenset({b"authorization", b"proxy-authorization", b"cookie"})


def header_key(name: str) -> KeyOf[Request]:
    """Return the function that finds the value of the field called `name`, several lines as one list, without empty
    ones. Fields that carry credentials are kept as a digest."""
    wanted = name.lower().encode("latin-1")
    make = secret_key if wanted in _SECRET_FIELDS else plain_key

    def key(request: Request) -> bytes | None:
        value = b", ".join(filter(None, request.headers.get_all(wanted)))
        return make(value.decode("latin-1")) if value else None

    return key
