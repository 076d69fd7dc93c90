"""The target of a purge, and the record of it that all workers read."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from enum import IntEnum

from adc.cache.keys import url_of


class Scope(IntEnum):
    """Meaning of `Purge.target`: all variants of a URL, URLs with a prefix, entries with a tag, or everything."""

    URL = 1
    PREFIX = 2
    TAG = 3
    ALL = 4
    REPLACED = 5
    """One key whose entries a worker has replaced: other workers drop their copies."""


@dataclass(frozen=True, slots=True)
class Purge:
    """`target`: the URL part of a key (`adc.cache.keys.url_key`), a prefix of one, a tag, or empty.

    `soft`: entries stay and must be validated before the next use. `by`: the worker that a REPLACED came
    from.
    """

    scope: Scope
    target: bytes = b""
    soft: bool = False
    by: int = 0

    def covers(self, key: bytes, tags: tuple[bytes, ...]) -> bool:
        """True if the purge covers an entry with this key and tags."""
        if self.scope is Scope.URL:
            return url_of(key) == self.target
        if self.scope is Scope.PREFIX:
            return key.startswith(self.target)
        if self.scope is Scope.TAG:
            return self.target in tags
        return self.scope is Scope.ALL or key == self.target

    def to_bytes(self) -> bytes:
        """Return the record's form in the shared log."""
        return bytes((self.scope, self.soft)) + self.by.to_bytes(8, "big") + self.target

    @classmethod
    def from_bytes(cls, data: bytes) -> Purge:
        """Read `to_bytes`. Raises ValueError."""
        if len(data) < 10:
            raise ValueError("purge record too short")
        return cls(Scope(data[0]), data[10:], bool(data[1]), int.from_bytes(data[2:10], "big"))


def finish(purging: Generator[None, None, int]) -> int:
    """Take all steps of a purge at once; its result."""
    while True:
        try:
            next(purging)
        except StopIteration as done:
            count: int = done.value
            return count
