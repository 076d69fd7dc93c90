"""Items of variables: their names, and which of them a rule is not to look at."""

from __future__ import annotations

from collections.abc import Callable

Pair = tuple[bytes, bytes]
Item = tuple[str, bytes, bytes]
"""Variable, key as received, value."""

KeyTest = Callable[[bytes], bool]
"""True if a key as received is meant."""


class Exclusion:
    """A variable, or keys of it, that a rule is not to look at: `ARGS:password`; without a test all keys."""

    __slots__ = ("_test", "variable")

    def __init__(self, variable: str, test: KeyTest | None) -> None:
        self.variable = variable
        self._test = test

    def covers(self, variable: str, key: bytes) -> bool:
        """Return True if the item is excluded."""
        return variable == self.variable and (self._test is None or self._test(key))


def name_of(item: Item) -> bytes:
    """Return the name of an item as rules write it: `ARGS:q`."""
    return b"%b:%b" % (item[0].encode(), item[1]) if item[1] else item[0].encode()
