"""Bytes outside the entries of a tier that count against its limit: responses being received, and evicted content that
is still being sent.
"""

from __future__ import annotations

_SMALL = 64 << 10
"""Responses up to this size are not limited to their share: each has a connection that buffers as much."""


class Claims:
    """The claims on one tier of one worker. `total` is their sum in bytes.

    A single response may claim the whole tier. Several may claim `share` of it together (2: half), so that many
    downloads at the same time cannot evict everything that is stored.
    """

    __slots__ = ("_share", "total")

    def __init__(self, share: int) -> None:
        self._share = share
        self.total = 0

    def add(self, claimed: int, more: int, capacity: int) -> bool:
        """Claim `more` bytes for a response with `claimed` bytes so far. Return False if the tier has no room for them;
        they are counted nevertheless, until the response is dropped."""
        others = self.total - claimed
        self.total += more
        if claimed + more <= _SMALL or not others:
            return self.total <= capacity
        return self.total <= capacity // self._share

    def take(self, count: int) -> None:
        """Claim `count` bytes that are there already."""
        self.total += count

    def release(self, count: int) -> None:
        """Give `count` bytes back."""
        self.total -= count
