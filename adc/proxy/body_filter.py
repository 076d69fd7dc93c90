"""Filters that a response stage installs for the response content."""

from __future__ import annotations

from typing import Protocol


class BrokenContent(Exception):
    """The content that a member sent cannot be passed on; the text is for logs."""


class BodyFilter(Protocol):
    """Changes or observes response content, chunk by chunk. `changes`: digests of the content before do not hold for
    what it returns."""

    changes: bool

    def feed(self, data: bytes, end: bool) -> bytes:
        """Return the content to forward instead of `data`; at `end`, all that is left. Never called after `end`."""
