"""What a response stage may leave behind: a filter that the response content passes."""

from __future__ import annotations

from typing import Protocol


class BrokenContent(Exception):
    """The content that a member sent cannot be passed on; the text is for logs."""


class BodyFilter(Protocol):
    """Changes or observes response content, piece by piece."""

    def feed(self, data: bytes, end: bool) -> bytes:
        """What to send on instead of `data`; at `end`, all that is left. Never called after `end`.

        Raises BrokenContent.
        """
