"""Databases in MaxMind's format, read whole: a file that is overwritten in place harms no worker."""

from __future__ import annotations

from pathlib import Path

import maxminddb
from adc_plugins.geo.places import Place, merged, place_of

MOST_KNOWN = 8192


def open_database(path: Path) -> maxminddb.Reader:
    """Read a database. Raises OSError, and ValueError for a file that is none."""
    try:
        return maxminddb.open_database(path, maxminddb.MODE_MEMORY)
    except maxminddb.InvalidDatabaseError as error:
        raise ValueError(f"{path} is not a database in MaxMind's format: {error}") from None


class Databases:
    """Several databases as one. Places that were looked up last are kept."""

    def __init__(self, readers: list[maxminddb.Reader]) -> None:
        self._readers = readers
        self._known: dict[str, Place] = {}

    def place(self, address: str) -> Place:
        """Return the place of the text of an address."""
        known = self._known.get(address)
        return self._look_up(address) if known is None else known

    def _look_up(self, address: str) -> Place:
        place = merged([_found(reader, address) for reader in self._readers])
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[address] = place
        return place


def _found(reader: maxminddb.Reader, address: str) -> Place:
    try:
        record = reader.get(address.partition("%")[0])
    except (ValueError, maxminddb.InvalidDatabaseError):
        return Place()  # no address, one of IPv6 in a database of IPv4, or a damaged record
    return place_of(record) if isinstance(record, dict) else Place()
