"""What the kernel knows of a TCP connection: its packets, and the address that the client connected to."""

from __future__ import annotations

import socket
import struct
from typing import Any, Final

from adc.http.networks import plain_address

_SEGMENTS: Final = struct.Struct("=136xII")
"""segs_out and segs_in in struct tcp_info (linux/tcp.h)."""


def segments(sock: Any) -> tuple[int, int]:
    """Return the packets received and sent by a TCP socket, acknowledgements included.

    Raises OSError for a closed or a unix socket, struct.error for a kernel that does not count them.
    """
    sent, received = _SEGMENTS.unpack(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SEGMENTS.size))
    return received, sent


def own_port(sock: Any) -> int:
    """Return the port of an accepted socket, whatever a PROXY protocol header names; 0 if it has none."""
    own = sock.getsockname()
    return int(own[1]) if isinstance(own, tuple) else 0


def own_address(sock: Any) -> Any:
    """Return the address that the client of an accepted socket connected to. Raises OSError for a closed socket."""
    own = sock.getsockname()
    if isinstance(own, tuple) and len(own) > 2:
        return plain_address(own[0]), own[1]
    return own
