"""What the admin server asks of the node that it shows; the supervisor is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from adc.telemetry.samples import Sample

MEMBER_STATES = ("enable", "drain", "disable")
"""What an operator can ask of a member: serve, finish pinned work only, take no traffic."""


class Refused(Exception):
    """The node understood and says no; the text is for the user."""


class NotFound(Refused):
    """The pool, member or listener named does not exist."""


class Unavailable(Exception):
    """The workers did not answer."""


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """How a reload ended, when (seconds since 1970), why it failed or what the lint warns of."""

    ok: bool
    messages: tuple[str, ...]
    at: float

    def as_json(self) -> dict[str, Any]:
        """The shape of the API."""
        return {"result": "ok" if self.ok else "failed", "messages": list(self.messages), "at": self.at}


class Node(Protocol):
    """Everything that can be asked over the admin API."""

    async def status(self) -> dict[str, Any]:
        """Version, uptime, workers, listeners, pools, configuration file, last reload."""

    async def members(self) -> list[dict[str, Any]]:
        """One row per member of each pool, counters summed over the workers. Raises Unavailable."""

    async def set_member(self, pool: str, member: str, state: str) -> None:
        """Apply one of MEMBER_STATES in every worker. Raises NotFound, Refused, Unavailable."""

    async def reload(self) -> ReloadResult:
        """Load, check, prepare and swap; never raises for what is wrong with the configuration."""

    def routes(self) -> list[dict[str, Any]]:
        """The routes in file order."""

    async def samples(self) -> list[list[Sample]]:
        """Counters of every worker and of the node itself, one list each."""


Row = Mapping[str, Any]
