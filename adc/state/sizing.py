"""The share of the local store's file that its tables may fill, and how many entries that is."""

from __future__ import annotations

SMALLEST_SIZE = 16 << 20
"""Least size of the store in bytes, whatever the configuration says."""
FILL_SHARE = 0.75
"""Share of the size that the tables may fill: LMDB needs free pages even to delete."""
PIN_BYTES = 150
"""Bytes of the file that a pin takes, with its key and its part of half-filled pages."""


def bytes_for(entries: int) -> int:
    """Return the size of a store that holds `entries` pins."""
    return int(entries * PIN_BYTES / FILL_SHARE)
