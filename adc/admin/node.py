"""The node as the admin server sees it; the supervisor implements it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from adc.telemetry.samples import Sample

MEMBER_STATES = ("enable", "drain", "disable")
"""Admin states of a member: serve, finish pinned work only, receive no traffic."""


class Refused(Exception):
    """The node understood and says no; the text is for the user."""


class NotFound(Refused):
    """The pool, member or listener named does not exist."""


class Unavailable(Exception):
    """The workers did not answer."""


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """The outcome of a reload: success, time (seconds since 1970), reasons of a failure or warnings of the lint."""

    ok: bool
    messages: tuple[str, ...]
    at: float

    def as_json(self) -> dict[str, Any]:
        """The shape of the API."""
        return {"result": "ok" if self.ok else "failed", "messages": list(self.messages), "at": self.at}


class Node(Protocol):
    """Everything that can be asked over the admin API."""

    def unready(self) -> list[str]:
        """Say why clients should not be sent here now; nothing if they may."""

    async def status(self) -> dict[str, Any]:
        """Version, uptime, workers, listeners, pools, configuration file, last reload."""

    async def members(self) -> list[dict[str, Any]]:
        """One row per member of each pool, counters summed over the workers. Raises Unavailable."""

    async def set_member(self, pool: str, member: str, state: str) -> None:
        """Apply one of MEMBER_STATES in every worker. Raises NotFound, Refused, Unavailable."""

    async def sessions(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """`rows` of sessions and the `cursor` of the next ones. `wanted` may have pool, client, member,
        min_age, max_age, limit, cursor. Raises Refused, Unavailable."""

    async def drop_sessions(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Forget the sessions that match; `dropped` is their number. Raises Refused, Unavailable."""

    async def cache_stats(self) -> list[dict[str, Any]]:
        """A row per store of cached answers, counters summed over the workers. Raises Unavailable."""

    async def purge_cache(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Purge by `scope` (url, prefix, tag, all) and `target`, `soft`, in `store` or everywhere; `purged` is how
        many. No worker serves them when this returns. Raises Refused, Unavailable."""

    async def why_cached(self, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return what each worker would do with a request: url, method, headers. Raises Refused, Unavailable."""

    async def reload(self) -> ReloadResult:
        """Load, check, prepare and swap; never raises for what is wrong with the configuration."""

    def routes(self) -> list[dict[str, Any]]:
        """The routes in file order."""

    async def samples(self) -> list[list[Sample]]:
        """Counters of every worker and of the node itself, one list each."""


Row = Mapping[str, Any]
