"""Persistence inside a cookie that the application sets: its value replaced by a mark, or a mark put before
it.

Both act only when the application sets its cookie, so both time limits count from then, and a client whose
member went down is chosen afresh for each request until the application sets the cookie again.
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
from adc.persistence.interface import PinCounts
from adc.persistence.pin import Pin
from adc.persistence.signing import FORMER_MARK_CHARACTERS, MARK_CHARACTERS, Signer

_SEPARATOR = "~"
_MARK_SIZES = (MARK_CHARACTERS, FORMER_MARK_CHARACTERS)
_PREFIX = re.compile(rb"[A-Za-z0-9_-]{%d}(?:[A-Za-z0-9_-]{4})?~" % FORMER_MARK_CHARACTERS)


class RewrittenCookie:
    """A `Persistence`: the value of the application's cookie becomes a mark, for applications that set a
    cookie only so that a balancer can use it."""

    learns: ClassVar[bool] = True
    marks_requests: ClassVar[bool] = False
    marks_responses: ClassVar[bool] = True

    def __init__(
        self, name: str, signer: Signer, stickiness: Stickiness, counts: PinCounts | None = None
    ) -> None:
        self._wanted = name.encode("latin-1")
        self._marks = MarkReader(signer, stickiness, counts)
        self._signer = signer
        self.counts = self._marks.counts

    def pinned(self, request: Request, now: float) -> Pin | None:
        marks = (self._mark_in(value) for value in cookie_values(request.headers, self._wanted))
        return self._marks.first((mark for mark in marks if mark is not None), now)

    def fetch(self, request: Request, now: float, done: Callable[[Pin | None], None]) -> None:
        done(self.pinned(request, now))

    def assigned(self, request: Request, member: bytes, now: float, pin: Pin | None) -> bytes:
        return member

    def forward(self, headers: Headers) -> None:
        """The application gets back what it finds in its cookie."""

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
    """A `Persistence`: a mark and `~` before the value of the application's cookie, taken off on the way
    back, so that the application sees its own value only."""

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
