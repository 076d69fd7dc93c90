"""Collections that outlive a transaction: IP, GLOBAL, SESSION, USER, RESOURCE."""

from __future__ import annotations

from typing import Final, Protocol

from adc_plugins.waf.engine.numbers import number_of

_EXPIRY: Final = b"__expire_"
_CREATED: Final = b"create_time"
_UPDATED: Final = b"last_update_time"
_UPDATES: Final = b"update_counter"


class Persistent(Protocol):
    """Where collections are kept; keys and values of `values` are bytes."""

    def load(self, collection: str, key: bytes) -> dict[bytes, bytes]:
        """Return what is stored, empty if nothing is."""

    def store(self, collection: str, key: bytes, values: dict[bytes, bytes], ttl: int) -> None:
        """Keep `values` for `ttl` seconds."""


class NothingKept:
    """No-op: collections last as long as the transaction."""

    def load(self, collection: str, key: bytes) -> dict[bytes, bytes]:
        """Return nothing."""
        return {}

    def store(self, collection: str, key: bytes, values: dict[bytes, bytes], ttl: int) -> None:
        """Keep nothing."""


class Collection:
    """One persistent collection of a transaction; `values` is what rules read and set, without expiry times."""

    def __init__(self, name: str, key: bytes, stored: dict[bytes, bytes], now: int, timeout: int) -> None:
        self.name = name
        self.key = key
        self.changed = False
        self._now = now
        self._expiry = _unexpired(stored, now)
        self.values = {
            name: value
            for name, value in stored.items()
            if not name.startswith(_EXPIRY) and (_EXPIRY + name not in stored or name in self._expiry)
        }
        self.values.setdefault(_CREATED, b"%d" % now)
        self.values.setdefault(_UPDATES, b"0")
        self.values[b"is_new"] = b"0" if stored else b"1"
        self.values[b"key"] = key
        self.values[b"timeout"] = b"%d" % timeout

    def set(self, name: bytes, value: bytes) -> None:
        """Set a value, which loses its expiry time."""
        self.values[name] = value
        self._expiry.pop(name, None)
        self.changed = True

    def remove(self, name: bytes) -> None:
        """Remove a value."""
        self.values.pop(name, None)
        self._expiry.pop(name, None)
        self.changed = True

    def expire(self, name: bytes, seconds: int) -> None:
        """Let a value that is set expire in `seconds`."""
        if name in self.values:
            self._expiry[name] = self._now + seconds
            self.changed = True

    def deprecate(self, name: bytes, amount: int, seconds: int) -> None:
        """Lower a value by `amount` for every `seconds` since the last update, to no less than 0."""
        since = self._now - number_of(self.values.get(_UPDATED, b"%d" % self._now))
        lowered = since // seconds * amount if seconds else 0
        if name in self.values and lowered:
            self.values[name] = b"%d" % max(0, number_of(self.values[name]) - lowered)
            self.changed = True

    def store(self, persistent: Persistent) -> None:
        """Store the collection if a rule changed it."""
        if not self.changed:
            return
        stored = {
            name: value for name, value in self.values.items() if name not in (b"is_new", b"key", b"timeout")
        }
        stored[_UPDATED] = b"%d" % self._now
        stored[_UPDATES] = b"%d" % (number_of(stored[_UPDATES]) + 1)
        stored.update((_EXPIRY + name, b"%d" % time) for name, time in self._expiry.items())
        persistent.store(self.name, self.key, stored, number_of(self.values[b"timeout"]))


def _unexpired(stored: dict[bytes, bytes], now: int) -> dict[bytes, int]:
    times = {
        name.removeprefix(_EXPIRY): number_of(value)
        for name, value in stored.items()
        if name.startswith(_EXPIRY)
    }
    return {name: time for name, time in times.items() if time > now}
