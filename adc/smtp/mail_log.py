"""The mail log: one line for each pool that a message went to."""

from __future__ import annotations

from typing import NamedTuple

from adc.telemetry.line_log import LineLog
from adc.telemetry.log_line import composer


class MailRecord(NamedTuple):
    """The result of one message at one pool. `reply` holds the member's queue id, as members spell it."""

    listener: str
    client: str
    helo: str
    sender: str
    recipients: int
    size: int
    pool: str
    member: str
    status: int
    reply: str


class MailLog:
    """Appends records to a file, in batches. Raises OSError if it cannot be opened."""

    def __init__(self, path: str, style: str) -> None:
        self._log = LineLog(path)
        self._compose = composer("json" if style == "json" else "text")

    def append(self, now: float, record: MailRecord) -> None:
        """Keep a record for the next flush; `now` is epoch seconds."""
        self._log.append(self._compose(now, "info", "mail", record._asdict()))

    def flush(self) -> None:
        """Write what is buffered."""
        self._log.flush()

    def reopen(self) -> None:
        """Continue in a new file after a rotation. Raises OSError."""
        self._log.reopen()

    def close(self) -> None:
        """Write what is buffered and close the file."""
        self._log.close()
