"""Sessions by number, in blocks, so that a listing continues anywhere without a walk over all before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adc.sessions.session import Session

_BITS: Final = 8
"""A block holds the sessions of 256 numbers."""


class Blocks:
    """Sessions by number; numbers only grow, so blocks are in their order."""

    __slots__ = ("_blocks", "_last", "_place", "count")

    def __init__(self) -> None:
        self.count: int = 0
        self._blocks: dict[int, dict[int, Session]] = {}
        self._place: int = -1
        self._last: dict[int, Session] = {}
        """The block at `_place`, which the last session entered."""

    def add(self, session: Session) -> None:
        """Keep a session under its number, which is larger than all before."""
        number = session.number
        place = number >> _BITS
        if place != self._place:
            if not self._last:
                self._blocks.pop(self._place, None)
            self._place = place
            self._last = self._blocks[place] = {}
        self._last[number] = session
        self.count += 1

    def remove(self, number: int) -> bool:
        """Forget a number; False if it is not known."""
        place = number >> _BITS
        block = self._blocks.get(place)
        if block is None or number not in block:
            return False
        del block[number]
        if not block and place != self._place:
            del self._blocks[place]
        self.count -= 1
        return True

    def find(self, number: int) -> Session | None:
        """Return the session with this number."""
        block = self._blocks.get(number >> _BITS)
        return None if block is None else block.get(number)

    def after(self, number: int, limit: int) -> list[Session]:
        """Return up to `limit` sessions with larger numbers, in the order of their numbers."""
        found: list[Session] = []
        first = number >> _BITS
        for place, block in self._blocks.items():
            if place < first:
                continue
            for each, session in block.items():
                if each > number:
                    found.append(session)
                    if len(found) >= limit:
                        return found
        return found
