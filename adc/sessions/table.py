"""The session table of one worker: who is in it, whose time is over, who makes room. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final

from adc.sessions.session import NEW, TRANSITIONS, Session

GRAIN: Final = 0.1
"""Seconds of one bucket of the wheel."""

SLICE: Final = 2000
"""Effort of one `tick`: one for a session looked at, `END_EFFORT` for one that ends."""

END_EFFORT: Final = 10

_CANDIDATES: Final = 32
"""Sessions looked at to find the one that has been idle longest."""

EXPIRED: Final = "expired"
EVICTED: Final = "evicted"

Ended = Callable[[Session, str, float], None]


class SessionTable:
    """Sessions by number, in the order of their creation.

    A wheel of buckets holds each session where it was due when last looked at; a session that was active since is
    moved when its bucket comes, so that traffic costs the table nothing. `ended(session, reason, now)` is called for
    each session that leaves. Times are monotonic seconds.
    """

    def __init__(self, size: int = 1 << 30) -> None:
        self.size = size
        self.opened = 0
        self.ended: Ended = _ignore
        self._sessions: dict[int, Session] = {}
        self._new: dict[int, Session] = {}
        self._wheel: dict[int, list[Session]] = {}
        self._hand = 0
        self._first = 0

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, session: Session, now: float) -> None:
        """Enter a new session; another one makes room if the table is full."""
        while len(self._sessions) >= self.size:
            victim = self._oldest_new() or self._longest_idle()
            if victim is None:
                break
            self._end(victim, EVICTED, now)
        self.opened += 1
        session.number = self.opened
        session.created = session.last = now
        self._sessions[session.number] = session
        if session.state == NEW:
            self._new[session.number] = session
        if not self._hand:
            self._hand = int(now / GRAIN)
        self._arm(session)

    def moved(self, session: Session, state: int, now: float) -> None:
        """Note that a session is in another state, whose timeout counts from `now`."""
        if state not in TRANSITIONS[session.state]:
            return
        self._new.pop(session.number, None)
        session.state = state
        session.last = now
        if session.number in self._sessions:
            self._arm(session)

    def closed(self, session: Session, reason: str, now: float) -> None:
        """Forget a session that has ended; no-op if it was forgotten."""
        if self._sessions.pop(session.number, None) is None:
            return
        self._new.pop(session.number, None)
        session.due = -1
        self.ended(session, reason, now)

    def tick(self, now: float) -> bool:
        """End sessions whose time is over, as many as one slice allows; True if more are left."""
        effort = SLICE
        bucket_now = int(now / GRAIN)
        while self._hand <= bucket_now:
            if not self._wheel:
                self._hand = bucket_now + 1
                return False
            bucket = self._wheel.get(self._hand)
            while bucket:
                if effort <= 0:
                    return True
                effort -= self._review(bucket.pop(), now)
            if bucket is not None:
                del self._wheel[self._hand]
            self._hand += 1
        return False

    def scan(self, after: int, limit: int) -> list[Session]:
        """Return up to `limit` sessions with numbers above `after`, in the order of their numbers."""
        if after <= 0:
            return list(islice(self._sessions.values(), limit))
        return list(islice((each for number, each in self._sessions.items() if number > after), limit))

    def find(self, number: int) -> Session | None:
        """Return the session with this number."""
        return self._sessions.get(number)

    def _arm(self, session: Session) -> None:
        due = max(int(session.deadline / GRAIN) + 1, self._hand)
        if session.due != due:
            session.due = due
            self._first = min(self._first, due)
            bucket = self._wheel.get(due)
            if bucket is None:
                self._wheel[due] = [session]
            else:
                bucket.append(session)

    def _review(self, session: Session, now: float) -> int:
        """End a session if its time is over, else move it; return the effort."""
        if session.due != self._hand:
            return 1  # ended, or moved to an earlier bucket meanwhile
        if session.deadline <= now:
            session.last = max(session.last, session.alive_at(now))
        if session.deadline <= now:
            self._end(session, EXPIRED, now)
            return END_EFFORT
        session.due = -1
        self._arm_after(session)
        return 1

    def _arm_after(self, session: Session) -> None:
        """Arm a session of the present bucket in a later one."""
        due = max(int(session.deadline / GRAIN) + 1, self._hand + 1)
        session.due = due
        self._first = min(self._first, due)
        self._wheel.setdefault(due, []).append(session)

    def _end(self, session: Session, reason: str, now: float) -> None:
        session.end(reason)
        self.closed(session, reason, now)  # no-op unless the flow could not say so itself

    def _oldest_new(self) -> Session | None:
        return next(iter(self._new.values()), None)

    def _longest_idle(self) -> Session | None:
        """Return the session with the least time left. Active ones that the wheel holds too early are moved on the way.

        After `_CANDIDATES` of those it is the one among them that was active least recently.
        """
        found: Session | None = None
        for _ in range(_CANDIDATES):
            session = self._first_due()
            if session is None:
                break
            if int(session.deadline / GRAIN) + 1 <= session.due:
                return session
            if found is None or session.last < found.last:
                found = session
            self._wheel[session.due].pop()
            session.due = -1
            self._arm(session)
        return found or next(iter(self._sessions.values()), None)

    def _first_due(self) -> Session | None:
        """Return the last session of the first bucket that is not empty; drop what is stale before it."""
        wheel = self._wheel
        while wheel:
            due = max(self._first, self._hand)
            while due not in wheel:
                due += 1
            self._first = due
            bucket = wheel[due]
            while bucket:
                if bucket[-1].due == due:
                    return bucket[-1]
                bucket.pop()
            del wheel[due]
        return None


def _ignore(session: Session, reason: str, now: float) -> None:
    """No-op: no log, no counters."""
