"""Sees to it that one process has our table: two with the same node name would undo each other's rules for ever."""

from __future__ import annotations

import errno
import socket

from adc.control.nft import NftFailed

MOST_BYTES = 107
"""Bytes of the name of a Unix socket."""


class TableTaken(NftFailed):
    """Another process has the table; the text is for the user."""


class TableClaim:
    """The claim of this process, one at a time. It belongs to the network namespace, as tables do, and ends with the
    process: it is a Unix socket with an abstract name.
    """

    def __init__(self) -> None:
        self._table = ""
        self._socket: socket.socket | None = None

    def check(self, table: str) -> None:
        """Raise TableTaken if another process has the table."""
        if table != self._table:
            _claimed(table).close()

    def take(self, table: str) -> None:
        """Claim a table in place of the one before. Raises TableTaken, with the claim before unchanged."""
        if table != self._table:
            claim = _claimed(table)
            self.release()
            self._table, self._socket = table, claim

    def release(self) -> None:
        """Give the table to whoever wants it."""
        if self._socket is not None:
            self._socket.close()
        self._table, self._socket = "", None


def _claimed(table: str) -> socket.socket:
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0adc/nftables/{table}"[:MOST_BYTES])
    except OSError as error:
        claim.close()
        reason = "another adc has it; give each instance on this machine its own node name"
        taken = error.errno == errno.EADDRINUSE
        raise TableTaken(f"table inet {table}: {reason if taken else error.strerror}") from None
    return claim
