"""The shape all persistence modes share with the way of a request."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final, Protocol

from adc.http.headers import Headers
from adc.http.message import Request
from adc.persistence.pin import Pin


class Pending(Enum):
    """The type of PENDING: another machine may know this client; ask with `fetch`."""

    PENDING = "pending"


PENDING: Final = Pending.PENDING


class Persistence(Protocol):
    """One pool's way of keeping a client on its member. A pool without persistence has none of this.

    Members are named by `member_id(pool, address)`. The order for one request: `pinned` (then `fetch` if it says
    PENDING), `decide`, the balancer if need be, `assigned`, `forward`, and `response` when the head has come back.
    """

    @property
    def counts(self) -> dict[str, int]:
        """Pins made, moved and ignored, by reason; keys are fixed when the mode is built."""

    def pinned(self, request: Request, now: float) -> Pin | Pending | None:
        """Which member the client is pinned to; None: none, or nothing to be trusted."""

    def fetch(self, request: Request, now: float, done: Callable[[Pin | None], None]) -> None:
        """Ask the other machines, with a time limit; `done` is called once."""

    def assigned(self, request: Request, member: bytes, now: float) -> bytes:
        """The client goes to `member`: remember it. Returns the member the client is pinned to from now on, which
        differs from `member` only if another worker pinned it a moment before."""

    def forward(self, headers: Headers) -> None:
        """Edit the header block on its way to the member (a copy of the client's): take out what is ours."""

    def response(self, request: Request, headers: Headers, member: bytes, now: float) -> None:
        """`member` answered with `headers`: learn from them or add to them."""
