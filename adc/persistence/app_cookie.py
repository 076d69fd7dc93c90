"""Persistence inside a cookie that the application sets: a mark replaces its value or precedes it.

Both act only when the application sets its cookie. Later events of the client are kept in a table, under a digest of
the cookie's value: that it moved because its member went down, or that it is still active when its mark would expire.
Only a genuine mark makes an entry, so that a client that invents cookies fills no table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

from adc.http.headers import Headers
from adc.http.message import Request
from adc.http.set_cookie import parse_set_cookie
from adc.persistence.cookie import MarkReader
from adc.persistence.cookie_lines import cookie_values, edit_cookie, replace_lines
from adc.persistence.decide import Stickiness
from adc.persistence.identity import secret_key
from adc.persistence.interface import PENDING, Pending, PinCounts
from adc.persistence.pin import Pin, pin_of
from adc.persistence.signing import FORMER_MARK_CHARACTERS, MARK_CHARACTERS, Signer
from adc.persistence.table import TablePersistence
from adc.state.interface import UNKNOWN, Entry, Table

_SEPARATOR = "~"
_MARK_SIZES = (MARK_CHARACTERS, FORMER_MARK_CHARACTERS)
_PREFIX = re.compile(rb"[A-Za-z0-9_-]{%d}(?:[A-Za-z0-9_-]{4})?~" % FORMER_MARK_CHARACTERS)


_FOREIGN = ("malformed", "forged")
"""Reasons for which foreign marks are rejected."""


def _no_key(request: Request) -> bytes | None:
    """Keys are passed to `TablePersistence.pin` here."""
    return None


class RewrittenCookie:
    """A `Persistence`: the value of the application's cookie becomes a mark, for applications that set a
    cookie only so that a balancer can use it."""

    learns: ClassVar[bool] = True
    marks_requests: ClassVar[bool] = False
    marks_responses: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        signer: Signer,
        stickiness: Stickiness,
        counts: PinCounts | None = None,
        *,
        table: Table | None = None,
        node: str = "",
    ) -> None:
        """Keep pins in marks, and in `table` if there is one."""
        self._wanted = name.encode("latin-1")
        self._marks = MarkReader(signer, stickiness, counts)
        self._signer = signer
        self._stickiness = stickiness
        self._table = table
        self.counts = self._marks.counts
        self._pins: TablePersistence[Request] | None = None
        if table is not None:
            self._pins = TablePersistence(table, _no_key, stickiness, node, self.counts)

    def pinned(self, request: Request, now: float) -> Pin | Pending | None:
        return self._find(request, now, self.counts.rejected)[1]

    def fetch(self, request: Request, now: float, done: Callable[[Pin | None], None]) -> None:
        key, pin = self._find(request, now, {})
        if pin is not PENDING or key is None or self._table is None:
            done(pin if isinstance(pin, Pin) else None)
            return
        self._table.fetch(key, now, lambda entry: done(self._alive(entry, now)))

    def assigned(self, request: Request, member: bytes, now: float, pin: Pin | None) -> bytes:
        if self._pins is None:
            return member
        if pin is not None and pin.member == member and not self._stickiness.refresh_due(pin, now):
            return member
        key = self._find(request, now, {})[0]
        return member if key is None else self._pins.pin(key, member, now, pin)

    def _find(
        self, request: Request, now: float, rejected: dict[str, int]
    ) -> tuple[bytes | None, Pin | Pending | None]:
        """Return the key of the cookie that counts, and the pin that it stands for. The first cookie that pins its
        client counts, else the first with a genuine mark. Counts why others are `rejected`."""
        genuine: bytes | None = None
        for value in cookie_values(request.headers, self._wanted):
            mark = self._mark_in(value)
            if mark is None:
                continue
            pin = self._marks.read(mark, now)
            if pin not in _FOREIGN:
                key = secret_key(value)
                genuine = genuine or key
                entry = None if self._table is None else self._table.lookup(key, now)
                if entry is UNKNOWN:
                    return key, pin if isinstance(pin, Pin) else PENDING
                pin = self._alive(entry, now) or pin
                if isinstance(pin, Pin):
                    return key, pin
            rejected[str(pin)] = rejected.get(str(pin), 0) + 1
        return genuine, None

    def _alive(self, entry: Entry | None, now: float) -> Pin | None:
        pin = None if entry is None else pin_of(entry)
        return None if pin is None or self._stickiness.expired(pin, now) else pin

    def forward(self, headers: Headers) -> None:
        """Return the field with the cookie's original value for the application."""

    def response(
        self, request: Request, headers: Headers, member: bytes, now: float, pin: Pin | None
    ) -> None:
        if b"set-cookie" not in headers:
            return
        lines = headers.get_all(b"set-cookie")
        edited = [self._marked(line, member, now) for line in lines]
        if edited != lines:
            self.counts.created += pin is None
            replace_lines(headers, b"Set-Cookie", edited)

    def _marked(self, line: bytes, member: bytes, now: float) -> bytes:
        cookie = parse_set_cookie(line)
        if cookie is None or cookie.name != self._wanted or not cookie.value:
            return line
        return cookie.replace_value(self._value(self._signer.sign(member, now, now).encode(), cookie.value))

    def _mark_in(self, value: str) -> str | None:
        return value

    def _value(self, mark: bytes, value: bytes) -> bytes:
        return mark


class PrefixedCookie(RewrittenCookie):
    """A `Persistence`: a mark and `~` before the value of the application's cookie, removed on the way back, so that
    the application sees its original value."""

    marks_requests: ClassVar[bool] = True

    def forward(self, headers: Headers) -> None:
        edit_cookie(
            headers,
            self._wanted,
            lambda value: _PREFIX.sub(b"", value, count=1) if _PREFIX.match(value) else value,
        )

    def _mark_in(self, value: str) -> str | None:
        mark, separator, _ = value.partition(_SEPARATOR)
        return mark if separator and len(mark) in _MARK_SIZES else None

    def _value(self, mark: bytes, value: bytes) -> bytes:
        return mark + _SEPARATOR.encode() + value
