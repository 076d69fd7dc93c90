"""Persistence by the application's own session cookie, learned from its Set-Cookie.

Only the application makes pins: a client that invents session ids fills no table. Session ids are kept as
digests.
"""

from __future__ import annotations

from typing import ClassVar

from adc.http.headers import Headers
from adc.http.message import Request
from adc.http.set_cookie import parse_set_cookie
from adc.persistence.cookie_lines import find_cookie
from adc.persistence.decide import Stickiness
from adc.persistence.identity import secret_key
from adc.persistence.interface import PinCounts
from adc.persistence.pin import Pin
from adc.persistence.table import KeyOf, TablePersistence
from adc.state.interface import Table

_ENDS = str.maketrans({";": "/", "?": "/", "#": "/"})


def learned_key(cookie: str, path_parameter: str = "") -> KeyOf:
    """The session id in the cookie, else in the path parameter (`/page;jsessionid=ID`, in any case)."""
    wanted = cookie.encode("latin-1")
    marker = f";{path_parameter.lower()}=" if path_parameter else ""

    def key(request: Request) -> bytes | None:
        value = find_cookie(request.headers, cookie, wanted)
        if not value and marker and ";" in request.target:
            value = _in_path(request.target, marker)
        return secret_key(value) if value else None

    return key


def _in_path(target: str, marker: str) -> str:
    path = target.partition("?")[0]
    at = path.lower().find(marker)
    return path[at + len(marker) :].translate(_ENDS).partition("/")[0] if at >= 0 else ""


class LearnedPersistence(TablePersistence):
    """A `Persistence` over `table`, opened with `merge_pins`. A pin is refreshed by requests, made by
    responses."""

    learns: ClassVar[bool] = True
    marks_responses: ClassVar[bool] = True

    def __init__(
        self,
        table: Table,
        cookie: str,
        stickiness: Stickiness,
        *,
        path_parameter: str = "",
        node: str = "",
        counts: PinCounts | None = None,
    ) -> None:
        super().__init__(table, learned_key(cookie, path_parameter), stickiness, node, counts)
        self._cookie = cookie.encode("latin-1")

    def assigned(self, request: Request, member: bytes, now: float, pin: Pin | None) -> bytes:
        return member if pin is None else super().assigned(request, member, now, pin)

    def response(
        self, request: Request, headers: Headers, member: bytes, now: float, pin: Pin | None
    ) -> None:
        if b"set-cookie" not in headers:
            return
        for line in headers.get_all(b"set-cookie"):
            cookie = parse_set_cookie(line)
            if cookie is not None and cookie.name == self._cookie and cookie.value.strip(b'"'):
                key = secret_key(cookie.value.strip(b'"').decode("latin-1"))
                self.pin(key, member, now, self._pin(self._table.get(key, now), now))
