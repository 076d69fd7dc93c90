"""A session: one flow between a client and a member, as the session table knows it."""

from __future__ import annotations

from abc import abstractmethod
from math import inf
from typing import Any, Final

from mypy_extensions import mypyc_attr

NEW: Final = 0
"""Only the client has sent."""

ESTABLISHED: Final = 1
"""Both ends have sent."""

HALF_CLOSED: Final = 2
"""One end has closed its half."""

CLOSING: Final = 3
"""Both ends have closed; bytes are still on their way."""

STATES: Final = ("new", "established", "half-closed", "closing")
"""Names of the states by number."""

TRANSITIONS: Final = {
    NEW: (ESTABLISHED, HALF_CLOSED, CLOSING),
    ESTABLISHED: (HALF_CLOSED, CLOSING),
    HALF_CLOSED: (CLOSING,),
    CLOSING: (),
}
"""The states that may follow each state."""


class Timeouts:
    """Idle times of a listener's sessions in seconds; a reload changes them in place, for open sessions too."""

    __slots__ = ("established", "half_closed", "new")

    def __init__(self, new: float, established: float, half_closed: float) -> None:
        self.new = new
        self.established = established
        self.half_closed = half_closed

    def of(self, state: int) -> float:
        """Return the idle time after which a session in `state` expires."""
        if state == ESTABLISHED:
            return self.established
        return self.new if state == NEW else self.half_closed


@mypyc_attr(allow_interpreted_subclasses=True)
class Session:
    """One flow; each protocol has its own subclass, which holds the sockets.

    `client` and `own` are what the client's end has as addresses: `(host, port, ...)`, a path for a unix socket, None
    if unknown. `created` and `last` are monotonic seconds. Traffic stores its time in `last` and adds to the counters:
    `_in` is from the client, `_out` from the member. `number` is the table's, 0 before it is in one; `ring`,
    `bucket` and the neighbours in its two lists are its place there, and the table's to write. All sessions of a
    listener have one `timeouts` object.
    """

    __slots__ = (
        "bucket",
        "bytes_in",
        "bytes_out",
        "client",
        "created",
        "last",
        "listener",
        "member",
        "newer",
        "next",
        "number",
        "older",
        "own",
        "packets_in",
        "packets_out",
        "pool",
        "previous",
        "protocol",
        "ring",
        "state",
        "timeouts",
    )

    def __init__(self, protocol: str, listener: str, client: Any, own: Any, timeouts: Timeouts) -> None:
        self.protocol = protocol
        self.listener = listener
        self.client = client
        self.own = own
        self.timeouts = timeouts
        self.pool = ""
        self.member = ""
        self.state: int = NEW
        self.number: int = 0
        self.ring: Any = None
        self.bucket: Bucket | None = None
        self.previous: Session | None = None
        self.next: Session | None = None
        self.older: Session | None = None
        self.newer: Session | None = None
        self.created: float = 0.0
        self.last: float = 0.0
        self.bytes_in: int = 0
        self.bytes_out: int = 0
        self.packets_in: int = 0
        self.packets_out: int = 0

    @property
    def deadline(self) -> float:
        """The time at which the session expires unless it is active before."""
        return self.last + self.timeouts.of(self.state)

    @abstractmethod
    def end(self, reason: str) -> None:
        """End the flow at both ends; the subclass calls `SessionTable.closed` once. `reason`: expired, killed, ..."""

    def refresh(self, now: float) -> None:
        """Bring `last` and the counters up to date, if they are kept elsewhere; called before a session is shown."""

    def alive_at(self, now: float) -> float:
        """Return when a keep-alive probe was last acknowledged; called only for a session that is due."""
        return -inf


class Bucket:
    """The sessions of one tenth of a second, as a list that they link themselves; `first` entered last."""

    __slots__ = ("first", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.first: Session | None = None
