"""Sockets to the members of a pool, and the addresses that their names have."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Final

from adc.l4.udp.no_port import NoPort
from adc.net.names import Names
from adc.pools.member import Member

_NO_PORT: Final = frozenset({errno.EADDRINUSE, errno.EAGAIN})
_KIND: Final = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK


class Target:
    """The addresses of one member, used in turn; none while its name does not resolve."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.is_name = not _is_address(host)
        self.resolved_at = float("-inf")
        self.addresses: tuple[str, ...] = () if self.is_name else (host,)
        self._next = 0

    def address(self) -> str | None:
        """Return the address to use next."""
        if not self.addresses:
            return None
        self._next = (self._next + 1) % len(self.addresses)
        return self.addresses[self._next]


class Targets:
    """Connects sockets to members, from source addresses of the member's IP version in turn, if there are any."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._names = Names(loop)
        self._targets: dict[str, Target] = {}
        self._sources4: list[str] = []
        self._sources6: list[str] = []
        self._next = 0
        self._interval = 30.0
        self._looking: set[asyncio.Task[None]] = set()

    def follow(self, members: dict[str, tuple[str, int]], sources: tuple[str, ...], interval: float) -> None:
        """Connect to these members, host and port by the address as written; look names up every `interval` seconds."""
        known = self._targets
        self._targets = {
            text: known.get(text) or Target(host, port) for text, (host, port) in members.items()
        }
        self._sources4 = [source for source in sources if ":" not in source]
        self._sources6 = [source for source in sources if ":" in source]
        self._interval = interval
        self.refresh(self._loop.time())

    def refresh(self, now: float) -> None:
        """Look up the names whose addresses are too old."""
        for target in self._targets.values():
            if target.is_name and now - target.resolved_at >= self._interval:
                target.resolved_at = now
                task = self._loop.create_task(self._look_up(target))
                self._looking.add(task)
                task.add_done_callback(self._looking.discard)

    async def _look_up(self, target: Target) -> None:
        try:
            target.addresses = await self._names.addresses(target.host)
        except OSError:
            if not target.addresses:
                target.resolved_at = self._loop.time() - self._interval + 1.0  # look again in a second

    def connect(self, member: Member) -> int:
        """Return the descriptor of a new socket to `member`. Raises OSError: NoPort without a free port, gaierror if
        its name has no address."""
        target = self._targets.get(member.address)
        address = None if target is None else target.address()
        if target is None or address is None:
            raise socket.gaierror(f"{member.address} does not resolve")
        is_v6 = ":" in address
        sources = self._sources6 if is_v6 else self._sources4
        sock = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, _KIND)
        try:
            if sources:
                self._bind(sock, sources)
            sock.connect((address, target.port))
        except OSError as error:
            sock.close()
            if error.errno in _NO_PORT:
                raise NoPort(error.errno, "no free port") from None
            raise
        return sock.detach()

    def _bind(self, sock: socket.socket, sources: list[str]) -> None:
        """Bind to the next source address that has a free port. Raises OSError."""
        for tried in range(len(sources)):
            self._next = (self._next + 1) % len(sources)
            try:
                sock.bind((sources[self._next], 0))
            except OSError as error:
                if error.errno not in _NO_PORT or tried == len(sources) - 1:
                    raise
            else:
                return


def _is_address(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except OSError:
        return False
    return True
