"""The session table of one worker: its sessions, those whose time is over, those that make room. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from adc.sessions.blocks import Blocks
from adc.sessions.newcomers import Newcomers
from adc.sessions.ring import Ring
from adc.sessions.session import NEW, STATES, TRANSITIONS, Bucket, Session, Timeouts
from adc.sessions.shared_total import SharedTotal

SLICE: Final = 1000
"""Effort of one `tick`: one for a session that was active, `END_EFFORT` for one that ends."""

END_EFFORT: Final = 50

MOST_EVICTED: Final = 4
"""Sessions that make room for a new one: more than one after a reload has made the table smaller."""

_CANDIDATES: Final = 32
"""Active sessions that are passed over in the search for the one that has been idle longest."""

EXPIRED: Final = "expired"
EVICTED: Final = "evicted"

Ended = Callable[[Session, str, float], object]


class SessionTable:
    """The sessions of one worker. All workers together have at most `size`; those that have more than their `part` make
    room, so that a new session finds room wherever it comes. A reload may lower both below the number of sessions: then
    new sessions and ticks end them step by step. Times are monotonic seconds.

    Traffic stores its time in the session and costs the table nothing: the table looks at a session when its idle time
    would be over, or when it needs room. `ended(session, reason, now)` is called for each session that leaves.
    """

    def __init__(self, size: int = 1 << 30, total: SharedTotal | None = None) -> None:
        self.size = size
        self.part = size
        self.total = SharedTotal() if total is None else total
        self.opened = 0
        self.ended: Ended = _ignore
        self._sessions = Blocks()
        self._new = Newcomers()
        self._rings: dict[tuple[str | int, ...], Ring] = {}
        self._recent: list[Ring | None] = [None] * len(STATES)

    def __len__(self) -> int:
        return self._sessions.count

    def open(self, session: Session, now: float) -> None:
        """Enter a new session; another one makes room if the table is full."""
        for _ in range(MOST_EVICTED):
            if not self._is_full(1) or not self.make_room(now):
                break
        self.opened += 1
        session.number = self.opened
        session.created = session.last = now
        self._sessions.add(session)
        self.total.report(self._sessions.count)
        if session.state == NEW:
            self._new.add(session)
        self._enter(session)

    def make_room(self, now: float, protocol: str = "") -> bool:
        """End the oldest session without a reply, else the one that has been idle longest, of `protocol` only if it is
        given; False if there is none."""
        rings = [ring for ring in self._rings.values() if protocol in ("", ring.protocol)]
        if protocol:
            victim = self._longest_idle(now, [ring for ring in rings if ring.state == NEW])
        else:
            victim = self._new.oldest
        victim = victim or self._longest_idle(now, rings)
        if victim is None:
            return False
        self._end(victim, EVICTED, now)
        return True

    def moved(self, session: Session, state: int, now: float) -> None:
        """Note that a session is in another state, whose timeout counts from `now`. No-op if no transition leads there.

        A half-closed session never becomes established again, so callers need not ask for the state before.
        """
        if state not in TRANSITIONS[session.state]:
            return
        if session.state == NEW:
            self._new.remove(session)
        session.state = state
        session.last = now
        ring: Ring | None = session.ring
        if ring is not None:
            ring.remove(session)
            self._enter(session)

    def ending(self, session: Session, state: int, now: float) -> None:
        """Note the last state of a session that is closed next, which therefore stays in its ring."""
        if session.state == NEW:
            self._new.remove(session)
        session.state = state
        session.last = now

    def closed(self, session: Session, reason: str, now: float) -> None:
        """Forget a session that has ended; no-op if it was forgotten."""
        ring: Ring | None = session.ring
        if ring is None or not self._sessions.remove(session.number):
            return
        self.total.report(self._sessions.count)
        ring.remove(session)
        self._new.remove(session)
        self.ended(session, reason, now)

    def tick(self, now: float) -> bool:
        """End sessions that are too many or whose time is over, as many as one slice allows; True if more are left."""
        effort = SLICE
        while self._is_full(0) and self.make_room(now):
            effort -= END_EFFORT
            if effort <= 0:
                return True
        return self._end_due(list(self._rings.values()), effort, now, None, EXPIRED)

    def resize(self, size: int, workers: int) -> None:
        """Have at most `size` sessions in `workers` workers from now on."""
        self.size, self.part = size, max(1, size // workers)
        self.total.follow(workers)

    def _is_full(self, more: int) -> bool:
        """True if a session of this worker has to end for `more` to have room."""
        count = self._sessions.count + more
        return count > self.part and count + self.total.elsewhere() > self.size

    def end_quiet(self, listener: str, idle: float, reason: str, now: float) -> bool:
        """End sessions of a listener that have been idle for `idle` seconds, as many as one slice allows; True if more
        are left."""
        rings = [ring for ring in self._rings.values() if ring.listener == listener]
        return self._end_due(rings, SLICE, now, idle, reason)

    def _end_due(self, rings: list[Ring], effort: int, now: float, idle: float | None, reason: str) -> bool:
        for ring in rings:
            session = ring.due(now, idle)
            while session is not None:
                effort -= self._review(ring, session, now, reason)
                if effort <= 0:
                    return True
                session = ring.due(now, idle)
        return False

    def scan(self, after: int, limit: int) -> list[Session]:
        """Return up to `limit` sessions with numbers above `after`, in the order of their numbers."""
        return self._sessions.after(after, limit)

    def find(self, number: int) -> Session | None:
        """Return the session with this number."""
        return self._sessions.find(number)

    def rings(self) -> Iterable[Ring]:
        """Return the sessions of each listener and state, with their count."""
        return self._rings.values()

    def forget_listeners(self, kept: Iterable[str]) -> None:
        """Drop what is remembered of listeners that are gone and have no sessions."""
        names = set(kept)
        gone = [key for key, ring in self._rings.items() if not ring.count and ring.listener not in names]
        for key in gone:
            del self._rings[key]
        self._recent = [None] * len(STATES)

    def _enter(self, session: Session) -> None:
        """Put a session into the ring of its listener and state."""
        protocol, listener, state = session.protocol, session.listener, session.state
        ring = self._recent[state]
        if ring is None or ring.listener != listener or ring.protocol != protocol:
            ring = self._recent[state] = self._ring(protocol, listener, state, session.timeouts)
        ring.add(session)

    def _ring(self, protocol: str, listener: str, state: int, timeouts: Timeouts) -> Ring:
        """Return the ring of a listener and state, which may be a new one."""
        key: tuple[str | int, ...] = (protocol, listener, state)
        ring = self._rings.get(key)
        if ring is None:
            ring = self._rings[key] = Ring(protocol, listener, state, timeouts)
        return ring

    def _review(self, ring: Ring, session: Session, now: float, reason: str) -> int:
        """End a session that was not active for its idle time, else move it; return the effort."""
        if session.deadline <= now:
            session.last = max(session.last, session.alive_at(now))
        if ring.refresh(session):
            return 1
        self._end(session, reason, now)
        return END_EFFORT

    def _end(self, session: Session, reason: str, now: float) -> None:
        try:
            session.end(reason)
        finally:
            self.closed(session, reason, now)  # no-op unless the session could not do it itself

    def _longest_idle(self, now: float, rings: list[Ring]) -> Session | None:
        """Return the session of `rings` that was active least recently.

        Active ones on the way to it are moved. After `_CANDIDATES` of those it is the one among them idle longest.
        """
        found: Session | None = None
        for _ in range(_CANDIDATES):
            session = _of_first_bucket(rings)
            if session is None or session.ring is None:
                break
            session.refresh(now)
            if not session.ring.refresh(session):
                return session
            if found is None or session.last < found.last:
                found = session
        return found


def _of_first_bucket(rings: list[Ring]) -> Session | None:
    """Return a session of the oldest bucket of all `rings`."""
    first: Bucket | None = None
    for ring in rings:
        bucket = ring.first_bucket()
        if bucket is not None and (first is None or bucket.number < first.number):
            first = bucket
    return None if first is None else first.first


def _ignore(session: Session, reason: str, now: float) -> None:
    """No-op: no log, no counters."""
