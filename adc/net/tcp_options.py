"""Options of TCP sockets: what the kernel sends at a close, and its probes of silent peers.

They do nothing on a socket that has no such option, a unix socket for one, and on None, which is what a transport that
is closing has for a socket.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import Any, Final

_LINGER: Final = struct.pack("ii", 1, 0)
"""SO_LINGER without a time."""

_TCP_REPAIR: Final = 19
"""linux/tcp.h; a socket in repair is closed without a packet."""

_LAST_ACK: Final = struct.Struct("=56xI")
"""tcpi_last_ack_recv in struct tcp_info (linux/tcp.h): milliseconds."""


def close_by_reset(sock: Any) -> None:
    """Have the close of `sock` discard what is unsent and send RST."""
    if sock is None:
        return
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    except OSError:
        return


def reset(sock: socket.SocketType) -> None:
    """Close a connection with RST, and without sending what waits in the socket."""
    close_by_reset(sock)
    sock.close()


def close_silently(sock: Any) -> None:
    """Have the close of `sock` send nothing; without CAP_NET_ADMIN it sends FIN as ever."""
    if sock is None:
        return
    with suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)


def close_as(sock: Any, ending: str) -> None:
    """Have the close of `sock` end the connection as `ending` says: reset, silent, or close for FIN."""
    if ending == "reset":
        close_by_reset(sock)
    elif ending == "silent":
        close_silently(sock)


def probe_silence(sock: Any, seconds: int) -> None:
    """Have the kernel probe a silent peer every `seconds`; three probes without an answer end the connection."""
    if sock is None:
        return
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


def acknowledged_at(sock: Any, now: float) -> float:
    """Return when the peer last acknowledged anything, probes included; 0.0 if that is unknown."""
    if sock is None:
        return 0.0
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_ACK.size)
        (milliseconds,) = _LAST_ACK.unpack(info)
    except (OSError, struct.error):
        return 0.0
    return float(now - milliseconds / 1000)
