"""Refusing a client by a TLS alert before its handshake, in plain records (RFC 8446 section 6)."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final

UNRECOGNIZED_NAME: Final = bytes((21, 3, 3, 0, 2, 2, 112))
"""A record with the fatal alert unrecognized_name (RFC 6066 section 3)."""

DECODE_ERROR: Final = bytes((21, 3, 3, 0, 2, 2, 50))
"""A record with the fatal alert decode_error (RFC 8446 section 6.2)."""

NO_APPLICATION_PROTOCOL: Final = bytes((21, 3, 3, 0, 2, 2, 120))
"""A record with the fatal alert no_application_protocol (RFC 7301 section 3.2)."""

_READS: Final = 16


def send_alert(sock: socket.SocketType, alert: bytes) -> None:
    """Send `alert` and close adc's half of a non-blocking socket; the caller closes the socket.

    What the client has sent is read first, because bytes that lie unread would turn the close into a reset, which would
    overtake the alert.
    """
    with suppress(OSError):
        sock.send(alert)
        sock.shutdown(socket.SHUT_WR)
        for _ in range(_READS):
            if not sock.recv(4096):
                break
