"""Datagrams that the kernel dropped because a socket's receive buffer was full."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from typing import Final

_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("9I")
"""linux/sock_diag.h, since Linux 4.12; the last number are the datagrams that the socket dropped."""

_MASK: Final = 0xFFFF_FFFF


class KernelDrops:
    """Counts drops of sockets from the first look at each on: a socket may have been another worker's before."""

    def __init__(self) -> None:
        self._seen: dict[socket.socket, int] = {}

    def since_last(self, sockets: Iterable[socket.socket]) -> int:
        """Return the number of datagrams that these sockets have dropped since the last call."""
        before, self._seen = self._seen, {}
        total = 0
        for sock in sockets:
            try:
                count = _MEMINFO.unpack(sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))[-1]
            except (OSError, struct.error):  # closed, or an older kernel
                continue
            self._seen[sock] = count
            total += (count - before.get(sock, count)) & _MASK
        return total
