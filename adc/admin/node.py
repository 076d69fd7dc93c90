"""The node as the admin server sees it; the supervisor implements it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from adc.runtime.operations.operation import Operation, Reply, Request
    from adc.telemetry.samples import Sample


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """The outcome of a reload: success, time (seconds since 1970), reasons of a failure or warnings of the lint."""

    ok: bool
    messages: tuple[str, ...]
    at: float

    def as_json(self) -> dict[str, Any]:
        """Return the shape of the API."""
        return {"result": "ok" if self.ok else "failed", "messages": list(self.messages), "at": self.at}


class Node(Protocol):
    """Everything that the admin API does with a node."""

    async def ask(self, operation: Operation[Request, Reply], request: Request) -> Reply:
        """Carry out an operation. Raises Refused, Unavailable."""

    def unready(self) -> list[str]:
        """Return why clients should not be sent here now; nothing if they may."""

    async def status(self) -> dict[str, Any]:
        """Return version, uptime, workers, listeners, pools, configuration file and last reload."""

    async def reload(self) -> ReloadResult:
        """Load, check, prepare and swap; never raises for what is wrong with the configuration."""

    def routes(self) -> list[dict[str, Any]]:
        """Return the routes in file order."""

    async def samples(self) -> list[list[Sample]]:
        """Return the counters of every worker and of the node itself, one list each."""
