"""A member: one server of a pool, its state and its counters."""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import Any

from adc.pools.shared_load import SharedLoad


class Health(StrEnum):
    """Result of active checks. A member is used while its health is unknown."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


class Admin(StrEnum):
    """Decision of the operator. A draining member gets no new clients and keeps the clients pinned to it."""

    ENABLED = "enabled"
    DRAINING = "draining"
    DISABLED = "disabled"


class Member:
    """One server. Plain attributes: the hot path reads and adds to them, only the pool changes its state.

    `available` (accepts new clients) and `pinnable` (keeps clients that are pinned to it) follow from the state;
    `Pool` keeps them current, so that one attribute decides. `share` is the weight in force: less than `weight` while
    slow start raises it. `link` carries traffic to the member and belongs to the codecs. `ewma` is the moving average
    of response times in seconds (0.0 before the first, the last taken at `measured_at`), `since` the monotonic time of
    the last change of state and `reason` its cause in words; `reported` is the last state that the pool reported.
    """

    __slots__ = (
        "active",
        "address",
        "admin",
        "available",
        "backup",
        "bytes_in",
        "bytes_out",
        "connect_failures",
        "ejected",
        "ejected_until",
        "ejections",
        "ewma",
        "failures",
        "health",
        "link",
        "measured_at",
        "name",
        "pinnable",
        "pool",
        "reason",
        "recovered_at",
        "replied_at",
        "reported",
        "requests",
        "retries",
        "share",
        "shared",
        "since",
        "weight",
    )

    def __init__(
        self, pool: str, address: str, *, name: str = "", weight: int = 1, backup: bool = False
    ) -> None:
        self.pool = pool
        self.address = address
        self.name = name or address
        self.weight = weight
        self.backup = backup
        self.share = float(weight)
        self.link: Any = None

        self.active = 0
        self.shared: SharedLoad | None = None
        self.replied_at = -inf
        self.requests = 0
        self.failures = 0
        self.connect_failures = 0
        self.retries = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.ewma = 0.0
        self.measured_at = 0.0

        self.health = Health.UNKNOWN
        self.admin = Admin.ENABLED
        self.ejected = False
        self.ejected_until = 0.0
        self.ejections = 0
        self.recovered_at: float | None = None
        self.since = 0.0
        self.reason = ""
        self.reported = Health.UNKNOWN.value
        self.available = weight > 0
        self.pinnable = True

    def __repr__(self) -> str:
        return f"<Member {self.pool}/{self.name} {self.state}>"

    def in_flight(self) -> int:
        """Return the attempts in flight, those of other workers included if the pool shares its load with them."""
        shared = self.shared
        return self.active if shared is None else self.active + shared.elsewhere()

    def share_load(self, shared: SharedLoad | None) -> None:
        """Count the attempts in flight in another place."""
        if self.shared is not None:
            self.shared.add(-self.active)
        if shared is not None:
            shared.add(self.active)
        self.shared = shared

    @property
    def state(self) -> str:
        """The state in one word: the operator's will first, then ejection, then health."""
        if self.admin is not Admin.ENABLED:
            return self.admin.value
        return "ejected" if self.ejected else self.health.value

    def refresh(self) -> None:
        """Work out `available` and `pinnable` after a change of state or weight."""
        serving = self.health is not Health.DOWN and not self.ejected
        self.pinnable = serving and self.admin is not Admin.DISABLED
        self.available = serving and self.admin is Admin.ENABLED and self.weight > 0
