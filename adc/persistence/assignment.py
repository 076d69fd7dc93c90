"""The member that the client of one request belongs to."""

from __future__ import annotations

from adc.http.headers import Headers
from adc.http.message import Request
from adc.persistence.identity import member_id
from adc.persistence.interface import Persistence
from adc.persistence.pin import Pin


class Assignment:
    """The state of one request's pin: the `pin` that was found, the id of the `member` that the client belongs to
    from now on, and `kept`: True if it is the member that the client had."""

    __slots__ = ("kept", "member", "persistence", "pin")

    def __init__(self, persistence: Persistence, pin: Pin | None, member: bytes, kept: bool) -> None:
        self.persistence = persistence
        self.pin = pin
        self.member = member
        self.kept = kept

    def answered(self, request: Request, headers: Headers, pool: str, address: str, now: float) -> None:
        """Let the persistence learn from the response of the member at `address` of `pool`, or add to it. `now` is
        wall-clock time."""
        persistence = self.persistence
        member = member_id(pool, address) if persistence.learns else self.member
        persistence.response(request, headers, member, now, self.pin)
