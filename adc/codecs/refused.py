"""A message that never becomes an exchange, whatever codec read it."""

from __future__ import annotations


class Refused(Exception):
    """A request that is not passed on.

    `status` is for the client, `reason` a word of the log's end reasons, `detail` says what was wrong.
    """

    def __init__(self, status: int, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
