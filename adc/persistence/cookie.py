"""Persistence by a cookie of adc: nothing is stored, the client sends its pin.

The cookie is a session cookie (no Max-Age): its timeouts are inside the mark, where no client can change them. It is
removed from the request to the member: applications have no use for it, and must not log or echo it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, Literal, NamedTuple

from adc.http.headers import Headers
from adc.http.message import Request
from adc.http.set_cookie import CookieAttributes, format_set_cookie
from adc.persistence.cookie_lines import cookie_values, edit_cookie
from adc.persistence.cookie_name import SHARED_NAME
from adc.persistence.decide import Stickiness
from adc.persistence.interface import PinCounts
from adc.persistence.pin import Pin
from adc.persistence.signing import Signer, looks_like_mark


class CookieOptions(NamedTuple):
    """The cookie's name and attributes. `secure: auto`: Secure if the request came over TLS. `former_name`: a name of
    earlier versions, whose marks are read and replaced; none if empty."""

    name: str = SHARED_NAME
    path: str = "/"
    domain: str = ""
    secure: Literal["auto", "true", "false"] = "auto"
    http_only: bool = True
    same_site: str = "lax"
    former_name: str = ""

    def attributes(self, scheme: str) -> CookieAttributes:
        """Return the attributes for the response to a request of `scheme`."""
        secure = scheme == "https" if self.secure == "auto" else self.secure == "true"
        return CookieAttributes(
            path=self.path,
            domain=self.domain,
            secure=secure,
            http_only=self.http_only,
            same_site=self.same_site,
        )


class MarkReader:
    """Base of the cookie modes: makes a pin of a mark, or counts why not."""

    def __init__(self, signer: Signer, stickiness: Stickiness, counts: PinCounts | None = None) -> None:
        self.signer = signer
        self.stickiness = stickiness
        self.counts = counts or PinCounts()

    def first(self, marks: Iterable[str], now: float) -> Pin | None:
        """Return the pin in the first of `marks` that is genuine and alive, and count the marks rejected before it."""
        for mark in marks:
            pin = self.read(mark, now)
            if isinstance(pin, Pin):
                return pin
            self.counts.rejected[pin] = self.counts.rejected.get(pin, 0) + 1
        return None

    def read(self, mark: str, now: float) -> Pin | str:
        """Return the pin in `mark`, or why it is rejected. A pin that an older key signed is due for a refresh."""
        sealed = self.signer.read(mark, now)
        if isinstance(sealed, str):
            return sealed
        pin = sealed.pin._replace(expires=self.stickiness.expiry(sealed.pin.created, sealed.pin.seen))
        if self.stickiness.expired(pin, now):
            return "expired"
        return pin if sealed.current else self.stale(pin, now)

    def stale(self, pin: Pin, now: float) -> Pin:
        """Return `pin` due for a refresh."""
        return pin._replace(expires=min(pin.expires, now + self.stickiness.timeout))


class CookiePersistence:
    """A `Persistence` that inserts its own cookie and refreshes it once about a tenth of the timeout has passed."""

    learns: ClassVar[bool] = False
    marks_requests: ClassVar[bool] = True
    marks_responses: ClassVar[bool] = True

    def __init__(
        self,
        options: CookieOptions,
        signer: Signer,
        stickiness: Stickiness,
        counts: PinCounts | None = None,
    ) -> None:
        self._options = options
        self._name = options.name.encode("latin-1")
        self._former_name = options.former_name.encode("latin-1")
        self._marks = MarkReader(signer, stickiness, counts)
        self._signer = signer
        self._stickiness = stickiness
        self.counts = self._marks.counts

    def pinned(self, request: Request, now: float) -> Pin | None:
        pin = self._marks.first(cookie_values(request.headers, self._name), now)
        return self._under_former_name(request, now) if pin is None and self._former_name else pin

    def _under_former_name(self, request: Request, now: float) -> Pin | None:
        """Marks under that name may belong to other pools: such marks are not counted as rejected."""
        for mark in cookie_values(request.headers, self._former_name):
            pin = self._marks.read(mark, now)
            if isinstance(pin, Pin):
                return self._marks.stale(pin, now)
        return None

    def fetch(self, request: Request, now: float, done: Callable[[Pin | None], None]) -> None:
        done(self.pinned(request, now))

    def assigned(self, request: Request, member: bytes, now: float, pin: Pin | None) -> bytes:
        return member

    def forward(self, headers: Headers) -> None:
        edit_cookie(headers, self._name, lambda value: None)
        if self._former_name:  # which an application may use for something else
            edit_cookie(headers, self._former_name, lambda value: None if looks_like_mark(value) else value)

    def response(
        self, request: Request, headers: Headers, member: bytes, now: float, pin: Pin | None
    ) -> None:
        created = now
        if pin is None:
            self.counts.created += 1
        elif pin.member == member:
            if not self._stickiness.refresh_due(pin, now):
                return
            created = pin.created
        mark = self._signer.sign(member, created, now)
        attributes = self._options.attributes(request.scheme)
        headers.add(b"Set-Cookie", format_set_cookie(self._options.name, mark, attributes))
