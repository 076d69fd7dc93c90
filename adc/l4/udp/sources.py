"""The number of sessions that each source of a UDP listener has open. No I/O."""

from __future__ import annotations

from typing import Final

from adc.net.sources import SourceLimit
from adc.sessions.table import SessionTable

SLICE: Final = 500
"""Sessions counted in one call of `catch_up`: about a millisecond."""


class SessionSources:
    """Admits up to `limit` sessions a source.

    Sessions that were open before are counted by `catch_up`, a slice in each call: `counted` is the number of the last
    one, and those above `since` were counted when they were opened.
    """

    def __init__(self, limit: int, listener: str, table: SessionTable) -> None:
        self._sources = SourceLimit(limit)
        self._listener = listener
        self._table = table
        self._since = table.opened
        self._counted = 0

    def limit(self, limit: int) -> None:
        """Admit up to `limit` sessions a source from now on."""
        self._sources.limit = limit

    def admit(self, address: str) -> bool:
        """Count a session of `address`; False, and not counted, if it is one too many."""
        return self._sources.admit(address)

    def full(self, address: str) -> bool:
        """True if another session of `address` would not be admitted."""
        return self._sources.full(address)

    def leave(self, address: str, number: int) -> None:
        """Uncount the session with this number, 0 if it has none yet."""
        if number > self._since or number <= self._counted:
            self._sources.leave(address)

    def catch_up(self) -> bool:
        """Count some of the sessions that were open before; True if more are left."""
        if self._counted >= self._since:
            return False
        found = self._table.scan(self._counted, SLICE)
        for session in found:
            if session.number > self._since:
                break
            if session.listener == self._listener:
                self._sources.add(session.client[0])
            self._counted = session.number
        else:
            if len(found) == SLICE:
                return True
        self._counted = self._since
        return False
