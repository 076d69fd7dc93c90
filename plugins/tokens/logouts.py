"""Marks of logouts in the table of sessions: a session that began before one has ended."""

from __future__ import annotations

from hashlib import sha256

from adc_plugins.tokens.backchannel import OLDEST, Logout
from adc_plugins.tokens.session import Session

from adc.plugin import Table

_LEAST = 7 * 86400.0


class Logouts:
    """Ends sessions by `sid` and `sub` without a list of them. Marks last as long as a session, of another route with
    the same provider too, and among entries of one table the ones written last stay, so a full table loses the sessions
    before their mark."""

    def __init__(self, table: Table, purpose: bytes, lifetime: float) -> None:
        self._table = table
        self._purpose = b"logout\n" + purpose
        self._lifetime = max(lifetime, _LEAST)

    def end(self, logout: Logout, now: float) -> bool:
        """End the sessions that a logout means and that have begun by `now`, wall-clock; False if its token was
        received before."""
        if self._table.add(self._key("jti", logout.jti), 1, 2 * OLDEST).total > 1:
            return False
        mark = b"%.3f" % now
        for key in self._marks(logout):
            self._table.set(key, mark, self._lifetime)
        return True

    def _marks(self, logout: Logout) -> list[bytes]:
        """Return the keys that a logout marks. With `sid` it means the sessions of that, not all of the user; a session
        whose ID token had no `sid` counts as one of them."""
        if not logout.sid:
            return [self._key("sub", logout.sub)]
        keys = [self._key("sid", logout.sid)]
        return [*keys, self._key("sub without sid", logout.sub)] if logout.sub else keys

    def _of(self, session: Session) -> tuple[bytes, bytes]:
        """Return the keys whose marks end a session."""
        sub = str(session.claims.get("sub"))
        second = self._key("sid", session.sid) if session.sid else self._key("sub without sid", sub)
        return self._key("sub", sub), second

    def ended(self, session: Session) -> bool:
        """True if a logout has ended the session, as far as this machine knows."""
        marks = [self._table.get(key) for key in self._of(session)]
        return any(mark is not None and session.begun <= float(mark.value) for mark in marks)

    async def fetch_ended(self, session: Session) -> bool:
        """Do as `ended`, and ask other machines."""
        marks = [await self._table.fetch(key) for key in self._of(session)]
        return any(mark is not None and session.begun <= float(mark.value) for mark in marks)

    def _key(self, kind: str, name: str) -> bytes:
        return sha256(
            b"%b\n%b\n%b" % (self._purpose, kind.encode(), name.encode("utf-8", "replace"))
        ).digest()
