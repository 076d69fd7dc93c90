"""The shape all persistence modes share with the way of a request."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import ClassVar, Final, Protocol

from adc.http.headers import Headers
from adc.http.message import Request
from adc.persistence.pin import Pin


class Pending(Enum):
    """The type of PENDING: another machine may know this client; ask with `fetch`."""

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
    """One pool's way of keeping a client on its member. A pool without persistence has none of this.

    Members are named by `member_id(pool, address)`. The order for one request: `pinned` (then `fetch` if it
    says PENDING), `decide`, the balancer if need be, `assigned`, `forward`, and `response` when the head has
    come back. `pin` is always what `pinned` or `fetch` gave for this request.
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
        """Ask the other machines, with a time limit; `done` is called once."""

    def assigned(self, request: Request, member: bytes, now: float, pin: Pin | None) -> bytes:
        """The client goes to `member`: remember it. Returns the member the client is pinned to from now on,
        which differs from `member` only if another worker pinned it a moment before."""

    def forward(self, headers: Headers) -> None:
        """Edit the header block on its way to the member (a copy of the client's): remove what adc added."""

    def response(
        self, request: Request, headers: Headers, member: bytes, now: float, pin: Pin | None
    ) -> None:
        """`member` answered with `headers`: learn from them or add to them. Call it for what goes to this one
        client, after a cache has taken its copy."""
