"""Notices that another program has changed or removed our table."""

from __future__ import annotations

from collections.abc import Iterable

from adc.control.nft_listing import generation, shape


class Witness:
    """Remembers our table as our last change left it. While nobody changes rules, a look costs one netlink message.

    Rules, chains, objects, and the elements of maps of members are compared; elements of other sets are not.
    """

    def __init__(self) -> None:
        self._table = ""
        self._maps: tuple[str, ...] = ()
        self._generation = 0
        self._shape = b""

    def remember(self, table: str, maps: Iterable[str]) -> None:
        """Take the table as it is. Raises NftFailed."""
        self._table, self._maps = table, tuple(maps)
        self._generation = generation()  # first: a change from now on is looked at
        self._shape = shape(self._table, self._maps)

    def forget(self) -> None:
        """Have nothing to compare."""
        self._table = ""

    def is_changed(self) -> bool:
        """Return True if another program has changed the table since. Raises NftFailed."""
        if not self._table:
            return False
        now = generation()
        if now == self._generation:
            return False
        if shape(self._table, self._maps) != self._shape:
            return True
        self._generation = now
        return False
