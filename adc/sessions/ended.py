"""What is remembered of sessions that have ended: counts, and the last few of them."""

from __future__ import annotations

from collections import deque
from typing import Any, Final, NamedTuple

from adc.sessions.session import Session

KEPT: Final = 1000
"""Ended sessions that a worker remembers."""


class Ended(NamedTuple):
    """A session as it was when it ended at `at`, because of `reason`."""

    number: int
    protocol: str
    listener: str
    client: Any
    own: Any
    pool: str
    member: str
    state: int
    created: float
    last: float
    bytes_in: int
    bytes_out: int
    packets_in: int
    packets_out: int
    reason: str
    at: float


class EndedSessions:
    """`count` sessions have ended since this worker started, `counts` are by protocol, listener and reason; `recent`
    are the last ones."""

    def __init__(self) -> None:
        self.count = 0
        self.counts: dict[tuple[str, str, str], int] = {}
        self.recent: deque[Ended] = deque(maxlen=KEPT)

    def add(self, session: Session, reason: str, now: float) -> Ended:
        """Count a session that has ended, and return what is remembered of it."""
        key = (session.protocol, session.listener, reason)
        self.count += 1
        self.counts[key] = self.counts.get(key, 0) + 1
        session.refresh(now)
        ended = Ended(
            session.number,
            session.protocol,
            session.listener,
            session.client,
            session.own,
            session.pool,
            session.member,
            session.state,
            session.created,
            session.last,
            session.bytes_in,
            session.bytes_out,
            session.packets_in,
            session.packets_out,
            reason,
            now,
        )
        self.recent.append(ended)
        return ended
