"""Backpressure: a gate per direction, closed while anyone has a reason to stop the sender."""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

CLIENT: Final = 1
"""The client reads the response slowly."""
MEMBER: Final = 2
"""The member reads the request content slowly."""
PLUGIN: Final = 4
"""A plugin awaits something."""
DECODER: Final = 8
"""Content that has arrived is still being decoded."""
BUFFER: Final = 16
"""As much request content is buffered as may be while no member is connected."""


class Gate:
    """Stops the sender with the first reason, and lets it go on when the last reason is gone.

    `reasons` is the set of reasons, one bit each; 0 while the gate is open.
    """

    __slots__ = ("reasons",)

    def __init__(self) -> None:
        self.reasons = 0

    def close(self, reason: int) -> None:
        """Add `reason`."""
        was_open = not self.reasons
        self.reasons |= reason
        if was_open:
            self._pause()

    def open(self, reasons: int) -> None:
        """Remove `reasons`, of which any may be absent."""
        if self.reasons & reasons:
            self.reasons &= ~reasons
            if not self.reasons:
                self._resume(reasons)

    @abstractmethod
    def _pause(self) -> None:
        """Stop the sender."""

    @abstractmethod
    def _resume(self, reasons: int) -> None:
        """Let the sender go on; `reasons` were the last."""
