"""Persistence by the application's own session cookie, learned from its Set-Cookie.

Only the application makes pins: a client that invents session ids fills no table. Session ids are kept as
digests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from adc.http.headers import Headers
from adc.http.message import Request
from adc.http.set_cookie import parse_set_cookie
from adc.persistence.cookie_lines import cookie_values
from adc.persistence.decide import Stickiness
from adc.persistence.identity import secret_key
from adc.persistence.interface import PENDING, Pending, PinCounts
from adc.persistence.pin import Pin
from adc.persistence.table import KeyOf, TablePersistence
from adc.state.interface import UNKNOWN, Entry, Table

_ENDS = str.maketrans({";": "/", "?": "/", "#": "/"})
_MOST_CANDIDATES = 8
"""Session ids of one request that are looked up at most."""

KeysOf = Callable[[Request], list[bytes]]


def learned_keys(cookie: str, path_parameter: str = "") -> KeysOf:
    """Return the function that finds the session ids of a request: first the ids in cookies, in order, then the id in
    the path parameter (`/page;jsessionid=ID`, in any case)."""
    wanted = cookie.encode("latin-1")
    marker = f";{path_parameter.lower()}=" if path_parameter else ""

    def keys(request: Request) -> list[bytes]:
        values = cookie_values(request.headers, wanted)
        if marker and ";" in request.target:
            values.append(_in_path(request.target, marker))
        return [secret_key(value) for value in values if value][:_MOST_CANDIDATES]

    return keys


def learned_key(cookie: str, path_parameter: str = "") -> KeyOf[Request]:
    """Return the function that finds the first session id of a request."""
    find = learned_keys(cookie, path_parameter)

    def key(request: Request) -> bytes | None:
        found = find(request)
        return found[0] if found else None

    return key


def _in_path(target: str, marker: str) -> str:
    path = target.partition("?")[0]
    at = path.lower().find(marker)
    return path[at + len(marker) :].translate(_ENDS).partition("/")[0] if at >= 0 else ""


class LearnedPersistence(TablePersistence[Request]):
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
        self._keys = learned_keys(cookie, path_parameter)

    def pinned(self, flow: Request, now: float) -> Pin | Pending | None:
        """Return the pin of the first session id that has one."""
        for key in self._keys(flow):
            entry = self._table.lookup(key, now)
            if entry is UNKNOWN:
                return PENDING
            pin = self._pin(entry, now)
            if pin is not None:
                return pin
        return None

    def fetch(self, flow: Request, now: float, done: Callable[[Pin | None], None]) -> None:
        self._fetch_first(self._keys(flow), now, done)

    def _fetch_first(self, keys: list[bytes], now: float, done: Callable[[Pin | None], None]) -> None:
        if not keys:
            done(None)
            return

        def fetched(entry: Entry | None) -> None:
            pin = self._pin(entry, now)
            if pin is None:
                self._fetch_first(keys[1:], now, done)
            else:
                done(pin)

        self._table.fetch(keys[0], now, fetched)

    def assigned(self, flow: Request, member: bytes, now: float, pin: Pin | None) -> bytes:
        key = None if pin is None else self._pinned_key(flow, now)
        return member if key is None else self.pin(key, member, now, pin)

    def _pinned_key(self, request: Request, now: float) -> bytes | None:
        keys = self._keys(request)
        if len(keys) > 1:
            keys = [key for key in keys if self._pin(self._table.get(key, now), now) is not None]
        return keys[0] if keys else None

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
