"""Switches that an operator turns, the same in all workers and in all nodes that share the state."""

from __future__ import annotations

from collections.abc import Callable

from adc.state.interface import Entry, Store, Table

MOST_SWITCHES = 1000
_FOR_EVER = 10 * 366 * 86400.0
_ON = b"on"


def switches_of(store: Store) -> Table:
    """Return the table of the switches that are on."""
    return store.table("switches", MOST_SWITCHES)


class Switch:
    """A switch by name. `configured` is True if the configuration has it on, whatever an operator says."""

    __slots__ = ("_key", "_table", "_wall", "configured", "name")

    def __init__(self, name: str, configured: bool, table: Table, wall: Callable[[], float]) -> None:
        self.name = name
        self.configured = configured
        self._key = name.encode()
        self._table = table
        self._wall = wall

    @property
    def on(self) -> bool:
        """True if the configuration or an operator has it on."""
        return self.configured or isinstance(self._table.lookup(self._key, self._wall()), Entry)


def turn(table: Table, name: str, on: bool, now: float) -> None:
    """Turn a switch on or off, as an operator does."""
    if on:
        table.set(name.encode(), _ON, _FOR_EVER, now)
    else:
        table.delete(name.encode(), now)
