"""Persistence by a cookie of our own: nothing is stored here, the client carries its pin.

The cookie is a session cookie (no Max-Age): its time limits are inside the mark, where no client can change
them. It is taken out of the request on its way to the member: applications have no use for it, and must not
log or echo it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal, NamedTuple

from adc.http.headers import Headers
from adc.http.message import Request
from adc.http.set_cookie import CookieAttributes, format_set_cookie
from adc.persistence.cookie_lines import edit_cookie, find_cookie
from adc.persistence.decide import Stickiness
from adc.persistence.interface import PinCounts
from adc.persistence.pin import Pin
from adc.persistence.signing import Signer


class CookieOptions(NamedTuple):
    """The cookie's name and attributes. `secure: auto`: where the request came over TLS."""

    name: str = "ADCSESSION"
    path: str = "/"
    domain: str = ""
    secure: Literal["auto", "true", "false"] = "auto"
    http_only: bool = True
    same_site: str = "lax"

    def attributes(self, scheme: str) -> CookieAttributes:
        """The attributes for the answer to a request of `scheme`."""
        secure = scheme == "https" if self.secure == "auto" else self.secure == "true"
        return CookieAttributes(
            path=self.path,
            domain=self.domain,
            secure=secure,
            http_only=self.http_only,
            same_site=self.same_site,
        )


class MarkReader:
    """What the cookie modes share: a mark becomes a pin, or a count of why not."""

    def __init__(self, signer: Signer, stickiness: Stickiness, counts: PinCounts | None = None) -> None:
        self.signer = signer
        self.stickiness = stickiness
        self.counts = counts or PinCounts()

    def read(self, mark: str, now: float) -> Pin | None:
        """The pin in `mark` if it is genuine and alive. One that an older key signed is due for a refresh."""
        sealed = self.signer.read(mark, now)
        if isinstance(sealed, str):
            self._reject(sealed)
            return None
        pin, current = sealed
        if self.stickiness.expired(pin, now):
            self._reject("expired")
            return None
        return pin if current else pin._replace(seen=min(pin.seen, now - self.stickiness.timeout / 10))

    def _reject(self, reason: str) -> None:
        self.counts.rejected[reason] = self.counts.rejected.get(reason, 0) + 1


class CookiePersistence:
    """A `Persistence` that inserts its own cookie and refreshes it once a tenth of the timeout has passed."""

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
        self._marks = MarkReader(signer, stickiness, counts)
        self._signer = signer
        self._stickiness = stickiness
        self.counts = self._marks.counts

    def pinned(self, request: Request, now: float) -> Pin | None:
        mark = find_cookie(request.headers, self._options.name, self._name)
        return None if mark is None else self._marks.read(mark, now)

    def fetch(self, request: Request, now: float, done: Callable[[Pin | None], None]) -> None:
        done(self.pinned(request, now))

    def assigned(self, request: Request, member: bytes, now: float, pin: Pin | None) -> bytes:
        return member

    def forward(self, headers: Headers) -> None:
        edit_cookie(headers, self._name, lambda value: None)

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
