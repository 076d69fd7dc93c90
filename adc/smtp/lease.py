"""A conversation with a member on behalf of one client."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from adc.net.tcp_options import close_as
from adc.pools.errors import Failure, Outcome
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.smtp.conversation import Conversation, MemberError
from adc.smtp.member_protocol import MemberProtocol

if TYPE_CHECKING:
    from adc.net.clock import Clock
    from adc.telemetry.error_log import ErrorLog

_SUCCESS: Final = 200
"""Outcome of a conversation for the pool's health: its statuses are those of HTTP, where 550 would be a failure."""

_LEAST: Final = 0.001
"""Seconds that a member took at least; the clock is coarser."""


class Lease:
    """A conversation with a member, counted at its pool and in `leases` until it is closed."""

    __slots__ = (
        "_began",
        "_clock",
        "_elapsed",
        "_error_log",
        "_open",
        "_outcome",
        "_pool",
        "conversation",
        "member",
        "protocol",
    )

    def __init__(
        self,
        pool: Pool,
        member: Member,
        reply_timeout: float,
        clock: Clock,
        error_log: ErrorLog,
        leases: set[Lease],
    ) -> None:
        self._pool: Pool | None = pool
        self._clock, self._error_log = clock, error_log
        self._began = clock.now
        self._elapsed = 0.0
        self._outcome: Outcome = _SUCCESS
        self._open = leases
        self.member = member
        self.protocol = MemberProtocol(asyncio.get_running_loop())
        self.conversation = Conversation(self.protocol, reply_timeout)
        leases.add(self)
        pool.started(member, self._began)

    @property
    def usable(self) -> bool:
        """True if another message can be sent."""
        return self._pool is not None and self.conversation.usable

    def ready(self) -> None:
        """Note that the member is ready for mail: what follows takes as long as the client does."""
        self._elapsed = self._clock.now - self._began or _LEAST

    def failed(self, error: MemberError) -> None:
        """Close after a failure of the member, which is logged."""
        if self._pool is not None:
            self._outcome = error.failure
            self._error_log.warn(
                "smtp_member_failed",
                pool=self._pool.name,
                member=self.member.name,
                reason=error.failure.value,
                detail=str(error),
            )
        self.close()

    def end_by(self, ending: str) -> None:
        """Close with RST (`reset`) or without a packet (`silent`) instead of QUIT."""
        transport = self.protocol.transport
        if ending != "close" and transport is not None:
            self._outcome = Failure.CLIENT_GONE
            close_as(transport.get_extra_info("socket"), ending)

    def close(self) -> None:
        """End the conversation."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        self._open.discard(self)
        if self._outcome == _SUCCESS:
            self.conversation.close()
        else:
            self.conversation.abort()
        now = self._clock.now
        pool.finished(self.member, now, self._outcome, self._elapsed or now - self._began)
