"""The file that the tables of the local store share, as one table uses it."""

from __future__ import annotations

from array import array
from typing import Final, Protocol

import lmdb

from adc.state.journal import Journal

PREFIX: Final = b"t:"
"""Prefix of the names that tables have in the file."""


class TableFile(Protocol):
    """Transactions on the file, and the store's view of their outcome."""

    journal: Journal
    versions: memoryview | array[int]

    @property
    def environment(self) -> lmdb.Environment:
        """Return the open file. Raises lmdb.Error if there is none."""

    def begin(self, database: lmdb._Database | None, *, write: bool = False) -> lmdb.Transaction[bytes]:
        """Begin a transaction on one database. Raises lmdb.Error."""

    def failed(self, error: lmdb.Error, now: float) -> None:
        """Note that an operation failed."""

    def worked(self, now: float) -> None:
        """Note that a write succeeded."""

    def make_room(self, now: float) -> bool:
        """Reclaim pages of a full map. True if another attempt is worthwhile."""

    def crowded(self, transaction: lmdb.Transaction, now: float) -> bool:
        """True if the tables fill so much of the size that a new entry must evict others."""

    def evict(self, transaction: lmdb.Transaction, now: float) -> None:
        """Make room in the largest table."""


def names_of_tables(environment: lmdb.Environment) -> list[str]:
    """Return the names of all tables in the file. Raises lmdb.Error."""
    with environment.begin() as transaction:
        names = [key for key in transaction.cursor().iternext(values=False) if key.startswith(PREFIX)]
    return [name.removeprefix(PREFIX).decode("utf-8", "replace") for name in names]
