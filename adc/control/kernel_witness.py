"""Detects changes of our table by other programs."""

from __future__ import annotations

from collections.abc import Iterable

from adc.control.nft_listing import generation, shape


class Witness:
    """Compares our table with its state after our last change. Without changes of rules a check costs one message.

    Rules, chains, objects, and the elements of maps of members are compared; elements of other sets are not.
    """

    def __init__(self) -> None:
        self._table = ""
        self._maps: tuple[str, ...] = ()
        self._generation = self._applied = 0
        self._shape = b""

    def remember(self, table: str, maps: Iterable[str]) -> None:
        """Store the present state of the table. Raises NftFailed."""
        self._table, self._maps = table, tuple(maps)
        self._generation = self._applied = generation()  # first: later changes are detected
        self._shape = shape(self._table, self._maps)

    def forget(self) -> None:
        """Drop the stored state; `is_changed` is False until the next `remember`."""
        self._table = ""

    def untouched(self) -> bool:
        """Return True if no program has changed any rule or set of the machine since. Raises NftFailed."""
        return bool(self._table) and generation() == self._applied

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
