"""The shape all persistence modes share with the way of a request."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import ClassVar, Final, Protocol

from adc.http.headers import Headers
from adc.http.message import Request
from adc.persistence.pin import Pin


class Pending(Enum):
    """The type of PENDING: another machine may know this client; call `fetch`."""

    PENDING = "pending"


PENDING: Final = Pending.PENDING


class PinCounts:
    """Plain counters of one pool: pins made, pins moved to another member by reason (counted by the caller that acts
    on a `Verdict`), and pins rejected by reason."""

    __slots__ = ("created", "moved", "rejected")

    def __init__(self) -> None:
        self.created = 0
        self.moved: dict[str, int] = {}
        self.rejected: dict[str, int] = {}


class Persistence(Protocol):
    """One pool's way of keeping a client on its member. A pool without persistence has none.

    Members are named by `member_id(pool, address)`. The order for one request: `pinned` (then `fetch` if it returns
    PENDING), `decide`, the balancer if necessary, `assigned`, `forward`, and `response` when the head has arrived.
    `pin` is always the result of `pinned` or `fetch` for this request.
    """

    learns: ClassVar[bool]
    """True if `response` makes pins from the member's response: it then needs the member that responded, otherwise the
    member to which the client belongs."""

    marks_requests: ClassVar[bool]
    """True if requests of pinned clients carry something that `forward` removes."""

    marks_responses: ClassVar[bool]
    """True if `response` does anything."""

    counts: PinCounts

    def pinned(self, request: Request, now: float) -> Pin | Pending | None:
        """Return the member that the client is pinned to; None without a pin, or if the pin is invalid or expired."""

    def fetch(self, request: Request, now: float, done: Callable[[Pin | None], None]) -> None:
        """Ask the other machines, with a timeout; `done` is called once."""

    def assigned(self, request: Request, member: bytes, now: float, pin: Pin | None) -> bytes:
        """Record that the client is served by `member`. Return the member that the client is pinned to from now on,
        which differs from `member` only if another worker pinned it a moment before."""

    def forward(self, headers: Headers) -> None:
        """Edit the header block on its way to the member (a copy of the client's): remove what adc added."""

    def response(
        self, request: Request, headers: Headers, member: bytes, now: float, pin: Pin | None
    ) -> None:
        """Process the `headers` of `member`'s response: learn from them or add to them. Call it for the copy that goes
        to this one client, after a cache has stored the response."""
