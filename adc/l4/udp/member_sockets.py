"""Connected sockets to the members of a pool, from source addresses in turn."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from adc.l4.targets import Targets
from adc.l4.udp.no_port import NoPort
from adc.net.socket_address import socket_address
from adc.pools.member import Member

_NO_PORT: Final = frozenset({errno.EADDRINUSE, errno.EAGAIN})
_KIND: Final = int(socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
_IPV6: Final = int(socket.AF_INET6)
_SOL_SOCKET: Final = socket.SOL_SOCKET

_SO_MEMINFO: Final = 55
"""linux/socket.h, since Linux 4.12; the first of its numbers are the bytes that wait to be read, with their buffers."""

_NONE: Final = bytes(4)

_MOST_STRANGE: Final = 64
"""Datagrams of strangers in a new socket; the port of one with more is not used."""


OpenSocket = Callable[[int, int], socket.SocketType]


class MemberSockets:
    """Connects sockets to the members that `targets` knows. `open_socket(family, kind)` is the kernel's: the class
    without the calls of `socket.socket`, which is Python."""

    def __init__(self, targets: Targets, open_socket: OpenSocket = socket.SocketType) -> None:
        self._targets = targets
        self.open_socket = open_socket
        self._sources4: list[str] = []
        self._sources6: list[str] = []
        self._next = 0

    def follow(self, sources: tuple[str, ...]) -> None:
        """Send from these addresses, those of the member's IP version, in turn; from any if there are none."""
        self._sources4 = [source for source in sources if ":" not in source]
        self._sources6 = [source for source in sources if ":" in source]

    def connect(self, member: Member) -> int:
        """Return the descriptor of a new socket to `member`. Raises OSError: NoPort without a free port, gaierror if
        its name has no address."""
        target = self._targets.find(member.address)
        if target is None:
            raise socket.gaierror(f"{member.address} was removed")
        family, address = target.address()
        sources = self._sources6 if family == _IPV6 else self._sources4
        sock = self.open_socket(family, _KIND)
        try:
            if sources:
                self._bind(sock, sources)
            sock.connect(address)
            if sock.getsockopt(_SOL_SOCKET, _SO_MEMINFO, 4) != _NONE:
                _discard(sock)
        except OSError as error:
            sock.close()
            if error.errno in _NO_PORT:
                raise NoPort(error.errno, "no free port") from None
            raise
        return sock.detach()

    def _bind(self, sock: socket.SocketType, sources: list[str]) -> None:
        """Bind to the next source address that has a free port. Raises OSError."""
        for tried in range(len(sources)):
            self._next = (self._next + 1) % len(sources)
            try:
                sock.bind(socket_address(sources[self._next], 0))
            except OSError as error:
                if error.errno not in _NO_PORT or tried == len(sources) - 1:
                    raise
            else:
                return


def _discard(sock: socket.SocketType) -> None:
    """Read what strangers sent between bind and connect: it would pass for replies of the member."""
    with suppress(BlockingIOError):
        for _ in range(_MOST_STRANGE):
            sock.recv(1)
        raise NoPort(errno.EADDRINUSE, "no free port")
