"""The request of a fetch to the member, and the stored response that it validates."""

from __future__ import annotations

from adc.cache.options import CacheOptions
from adc.cache.policy import Miss, Revalidate, Stale
from adc.cache.status import forwarded
from adc.cache.tiered import TieredStore
from adc.http.message import Request


class Question:
    """The request `asked` under `key`, at the time `sent_at` (wall clock). `mark` is that of the store then. `held` is
    what the store has to validate or to stand in with, `why` the reason for `Cache-Status`. `trusted`: the client may
    name other clients."""

    __slots__ = ("asked", "held", "key", "mark", "options", "sent_at", "tiers", "trusted", "why")

    def __init__(
        self,
        asked: Request,
        key: bytes,
        decision: Miss | Revalidate | Stale,
        tiers: TieredStore,
        options: CacheOptions,
        trusted: bool,
    ) -> None:
        self.asked = asked
        self.key = key
        self.held = None if isinstance(decision, Miss) else decision
        self.why = "stale" if isinstance(decision, Stale) else decision.why
        self.tiers = tiers
        self.options = options
        self.trusted = trusted
        self.mark = 0
        self.sent_at = 0.0

    @property
    def may_stand_in(self) -> bool:
        """True if the stored response may be served should the member fail."""
        return isinstance(self.held, Revalidate) and self.held.if_error

    def cache_status(
        self,
        status: int | None = None,
        *,
        stored: bool = False,
        collapsed: bool = False,
        ttl: float | None = None,
        detail: str = "",
    ) -> bytes:
        """Return Cache-Status for the member's response."""
        return forwarded(
            self.options.name,
            self.why,
            status=status,
            stored=stored,
            collapsed=collapsed,
            ttl=ttl,
            detail=detail,
        )
