"""What is remembered of sessions that have ended: counts, and the last few of them."""

from __future__ import annotations

from collections import deque
from typing import Final

from adc.sessions.session import Session

KEPT: Final = 1000
"""Ended sessions that a worker remembers."""


class Ended:
    """A session as it was when it ended at `at`, because of `reason`."""

    __slots__ = (
        "at",
        "bytes_in",
        "bytes_out",
        "client",
        "created",
        "last",
        "listener",
        "member",
        "number",
        "own",
        "packets_in",
        "packets_out",
        "pool",
        "protocol",
        "reason",
        "state",
    )

    def __init__(self, session: Session, reason: str, at: float) -> None:
        self.number = session.number
        self.protocol = session.protocol
        self.listener = session.listener
        self.client = session.client
        self.own = session.own
        self.pool = session.pool
        self.member = session.member
        self.state = session.state
        self.created = session.created
        self.last = session.last
        self.bytes_in = session.bytes_in
        self.bytes_out = session.bytes_out
        self.packets_in = session.packets_in
        self.packets_out = session.packets_out
        self.reason = reason
        self.at = at


class EndedSessions:
    """`count` sessions have ended since this worker started, `counts` are by protocol, listener and reason; `recent`
    are the last ones."""

    def __init__(self) -> None:
        self.count = 0
        self.counts: dict[tuple[str, ...], int] = {}
        self.recent: deque[Ended] = deque(maxlen=KEPT)

    def add(self, session: Session, reason: str, now: float) -> Ended:
        """Count a session that has ended, and return what is remembered of it."""
        key: tuple[str, ...] = (session.protocol, session.listener, reason)
        self.count += 1
        self.counts[key] = self.counts.get(key, 0) + 1
        session.refresh(now)
        ended = Ended(session, reason, now)
        self.recent.append(ended)
        return ended
