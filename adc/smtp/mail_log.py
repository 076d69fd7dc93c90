"""The mail log: a line for each pool that a message went to, and one for each rejected sender and recipient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from adc.telemetry.line_log import LineLog
from adc.telemetry.log_line import composer

MOST_NAMES: Final = 20
"""Recipients that a line names; it has the number of all."""


class MailRecord(NamedTuple):
    """The result of one message at one pool. `reply` holds the member's queue id, as members spell it.

    `size` is in bytes, dots doubled, without the Received field of adc. `seconds` is the time since MAIL.
    `client_status` is the status of the reply to the client, 0 if it left or was cut off before.
    """

    listener: str
    client: str
    helo: str
    protocol: str
    login: str
    sender: str
    recipients: int
    to: str
    size: int
    seconds: float
    pool: str
    member: str
    status: int
    reply: str
    client_status: int


class MailRefusal(NamedTuple):
    """A sender or a recipient that was rejected, by the member or, if there is none, by adc."""

    listener: str
    client: str
    helo: str
    protocol: str
    login: str
    sender: str
    to: str
    pool: str
    member: str
    status: int
    reply: str


def names(addresses: Sequence[str]) -> str:
    """Return the first addresses for one field of a line."""
    listed = ",".join(addresses[:MOST_NAMES])
    return listed if len(addresses) <= MOST_NAMES else f"{listed},..."


class MailLog:
    """Appends records to a file, in batches. Raises OSError if it cannot be opened."""

    def __init__(self, path: str, style: str) -> None:
        self._log = LineLog(path)
        self._compose = composer("json" if style == "json" else "text")

    def append(self, now: float, record: MailRecord | MailRefusal) -> None:
        """Keep a record for the next flush; `now` is epoch seconds."""
        event = "mail" if isinstance(record, MailRecord) else "mail_refused"
        self._log.append(self._compose(now, "info", event, record._asdict()))

    def flush(self) -> None:
        """Write what is buffered."""
        self._log.flush()

    def reopen(self) -> None:
        """Continue in a new file after a rotation. Raises OSError."""
        self._log.reopen()

    def close(self) -> None:
        """Write what is buffered and close the file."""
        self._log.close()
