"""The socket addresses of a member."""

from __future__ import annotations

import socket
from collections.abc import Callable
from math import inf
from typing import Any, Final

from adc.net.names import is_address
from adc.net.socket_address import socket_address

_IPV4: Final = int(socket.AF_INET)
_IPV6: Final = int(socket.AF_INET6)
_UNIX: Final = int(socket.AF_UNIX)


class Target:
    """The addresses of one member, used in turn. `addresses` is empty until its name is known."""

    __slots__ = ("_fixed", "_next", "addresses", "family", "host", "path", "port", "resolved_at", "waiting")

    def __init__(self, host: str, port: int, path: str) -> None:
        self.host = host
        self.port = port
        self.path = path
        literal = path or is_address(host)
        self.addresses: tuple[str, ...] = (path or host,) if literal else ()
        self.resolved_at: float = inf if literal else -inf
        self.waiting: list[Callable[[], None]] = []
        self._next = 0
        self._fixed: tuple[int, Any] | None = None
        if literal and not path and "%" not in host:  # an interface may get another number
            self._fixed = self.address()

    def address(self, port: int = 0) -> tuple[int, Any]:
        """Return the family and the socket address to connect to next, with another port if `port` is given.

        Raises socket.gaierror if the name has no address.
        """
        if self._fixed is not None and not port:
            return self._fixed
        if self.path:
            return _UNIX, self.path
        addresses = self.addresses
        if not addresses:
            raise socket.gaierror(f"{self.host} does not resolve")
        if len(addresses) > 1:
            self._next += 1
        host = addresses[self._next % len(addresses)]
        family = _IPV6 if ":" in host else _IPV4
        try:
            return family, socket_address(host, port or self.port)
        except OSError:  # its interface is gone: to connect will fail
            return family, (host.partition("%")[0], port or self.port)

    def in_turn(self) -> tuple[str, ...]:
        """Return all addresses, another one first than before."""
        self._next += 1
        first = self._next % max(1, len(self.addresses))
        return self.addresses[first:] + self.addresses[:first]

    @property
    def unknown(self) -> bool:
        """True if the name was never looked up with success."""
        return not self.addresses
