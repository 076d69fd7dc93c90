"""Sessions without a reply, oldest first."""

from __future__ import annotations

from adc.sessions.session import Session


class Newcomers:
    """A list that its sessions link themselves, so that one leaves from its middle without a search."""

    __slots__ = ("_newest", "oldest")

    def __init__(self) -> None:
        self.oldest: Session | None = None
        self._newest: Session | None = None

    def add(self, session: Session) -> None:
        """Append a session that is newer than all others."""
        newest = self._newest
        if newest is None:
            self.oldest = session
        else:
            newest.newer = session
            session.older = newest
        self._newest = session

    def remove(self, session: Session) -> None:
        """Take out a session; no-op if it is not in the list."""
        older, newer = session.older, session.newer
        if older is not None:
            older.newer = newer
            session.older = None
        elif self.oldest is session:
            self.oldest = newer
        else:
            return
        if newer is None:
            self._newest = older
        else:
            newer.older = older
            session.newer = None
