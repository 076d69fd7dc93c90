"""Downloads that go on for the store alone, after the last client has left: few, and with little still to come."""

from __future__ import annotations

from typing import Final

from adc.proxy.upstream.request import UpstreamRequest

MOST: Final = 16
"""Downloads that one store finishes at the same time."""

MOST_BYTES: Final = 32 << 20
"""Bytes that all of them may still have to receive together, when each lost its last client. A single download
may be longer."""


class Unattended:
    """The fetches of one store that no client waits for, with the bytes that each still had to receive."""

    __slots__ = ("_fetches",)

    def __init__(self) -> None:
        self._fetches: dict[UpstreamRequest, int] = {}

    def __len__(self) -> int:
        return len(self._fetches)

    def admit(self, fetch: UpstreamRequest, remaining: int) -> bool:
        """Add `fetch`. Return False if there are too many, or if all together have too much to receive."""
        fetches = self._fetches
        if fetch in fetches:
            return True
        if fetches and (len(fetches) >= MOST or sum(fetches.values()) + remaining > MOST_BYTES):
            return False
        fetches[fetch] = remaining
        return True

    def forget(self, fetch: UpstreamRequest) -> None:
        """Remove `fetch`, which is over."""
        self._fetches.pop(fetch, None)
