"""Where sessions are kept: in the browser, encrypted, or in a table under the digest of an opaque cookie."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from hashlib import sha256

from adc_plugins.tokens.cookies import Jar, TooLarge
from adc_plugins.tokens.logouts import Logouts
from adc_plugins.tokens.sealed import Sealer, from_text, to_text
from adc_plugins.tokens.session import Session, dump, load

from adc.plugin import Table

Cookies = Mapping[str, str]

_VALUE = 1000
_MOST_VALUES = 24
_VERSION = 8
_REPLACED_SECONDS = 60.0


class SessionStore(ABC):
    """`load` finds the session of a request; `save` returns the Set-Cookie values that a response needs, and so does
    `drop`, which ends the session."""

    @abstractmethod
    def load(self, jar: Jar, cookies: Cookies) -> Session | None: ...

    @abstractmethod
    async def fetch(self, jar: Jar, cookies: Cookies) -> Session | None:
        """Do as `load`, and ask other machines."""

    @abstractmethod
    def save(self, jar: Jar, cookies: Cookies, session: Session, now: float, *, new: bool) -> list[str]:
        """Store a session. Raises TooLarge."""

    @abstractmethod
    def drop(self, jar: Jar, cookies: Cookies) -> list[str]: ...


class CookieSessions(SessionStore):
    """Sessions in encrypted cookies: no state here. One that was stolen is valid until it ends."""

    def __init__(self, sealer: Sealer, purpose: bytes) -> None:
        self._sealer = sealer
        self._purpose = b"session\n" + purpose

    def load(self, jar: Jar, cookies: Cookies) -> Session | None:
        """Open the cookies."""
        text = jar.read_parts(cookies)
        sealed = from_text(text) if text else None
        return load(Session, self._sealer.open(sealed, self._purpose)) if sealed else None

    async def fetch(self, jar: Jar, cookies: Cookies) -> Session | None:
        """Open the cookies."""
        return self.load(jar, cookies)

    def save(self, jar: Jar, cookies: Cookies, session: Session, now: float, *, new: bool) -> list[str]:
        """Write cookies. The token that only a logout uses is left out if they would be too many."""
        age = max(1, int(session.until - now))
        try:
            return jar.write_parts(self._text(session), age, cookies)
        except TooLarge:
            return jar.write_parts(self._text(session.without_hint()), age, cookies)

    def _text(self, session: Session) -> str:
        return to_text(self._sealer.seal(dump(session), self._purpose))

    def drop(self, jar: Jar, cookies: Cookies) -> list[str]:
        """Remove the cookies."""
        return jar.delete_parts(cookies)


class TableSessions(SessionStore):
    """Sessions in a table, encrypted. The cookie is a random id, and the key its digest: a reader of the table can
    neither use nor read a session. A session is written as several values and then named by its index, so that readers
    see either the old or the new one."""

    def __init__(self, table: Table, sealer: Sealer, purpose: bytes, logouts: Logouts) -> None:
        self._table = table
        self._sealer = sealer
        self._purpose = b"table\n" + purpose
        self._logouts = logouts

    def _key(self, jar: Jar, cookies: Cookies) -> bytes | None:
        found = cookies.get(jar.name)
        return sha256(self._purpose + found.encode("utf-8", "replace")).digest() if found else None

    def load(self, jar: Jar, cookies: Cookies) -> Session | None:
        """Look the session up on this machine."""
        key = self._key(jar, cookies)
        index = self._table.get(key) if key else None
        if key is None or index is None:
            return None
        entries = [self._table.get(name) for name in _names(key, index.value)]
        session = self._opened(key, [entry.value for entry in entries if entry is not None])
        return self._unended(key, session, session is not None and self._logouts.ended(session))

    async def fetch(self, jar: Jar, cookies: Cookies) -> Session | None:
        """Look the session up, and ask other machines."""
        key = self._key(jar, cookies)
        index = await self._table.fetch(key) if key else None
        if key is None or index is None:
            return None
        entries = [await self._table.fetch(name) for name in _names(key, index.value)]
        session = self._opened(key, [entry.value for entry in entries if entry is not None])
        return self._unended(key, session, session is not None and await self._logouts.fetch_ended(session))

    def _unended(self, key: bytes, session: Session | None, ended: bool) -> Session | None:
        """Return the session; None if a logout of the provider has ended it, which deletes it."""
        if ended:
            self._end(key)
            return None
        return session

    def _opened(self, key: bytes, values: list[bytes]) -> Session | None:
        return load(Session, self._sealer.open(b"".join(values), self._purpose + key))

    def save(self, jar: Jar, cookies: Cookies, session: Session, now: float, *, new: bool) -> list[str]:
        """Write the session; a new one gets a new id, whatever the browser had."""
        age = max(1, int(session.until - now))
        lines: list[str] = []
        if new:
            self._end(self._key(jar, cookies))
            cookies = {jar.name: to_text(secrets.token_bytes(32))}
            lines = [jar.write(jar.name, cookies[jar.name], age)]
        key = self._key(jar, cookies)
        assert key is not None
        sealed = self._sealer.seal(dump(session), self._purpose + key)
        values = [sealed[start : start + _VALUE] for start in range(0, len(sealed), _VALUE)]
        if len(values) > _MOST_VALUES:
            raise TooLarge
        index = secrets.token_bytes(_VERSION) + bytes([len(values)])
        before = self._table.get(key)
        for name, value in zip(_names(key, index), values, strict=True):
            self._table.set(name, value, age)
        self._table.set(key, index, age)
        for name in _names(key, before.value) if before is not None else []:
            self._table.touch(name, _REPLACED_SECONDS)
        return lines

    def drop(self, jar: Jar, cookies: Cookies) -> list[str]:
        """Delete the session and its cookie."""
        self._end(self._key(jar, cookies))
        return jar.delete_parts(cookies)

    def _end(self, key: bytes | None) -> None:
        index = self._table.get(key) if key else None
        if key is not None and index is not None:
            for name in [key, *_names(key, index.value)]:
                self._table.delete(name)


def _names(key: bytes, index: bytes) -> list[bytes]:
    """Return the keys of the values that an index names."""
    version, count = index[:_VERSION], index[_VERSION:]
    return [key + version + bytes([number]) for number in range(count[0] if count else 0)]
