"""Addresses of names, looked up once for all simultaneous requests."""

from __future__ import annotations

import asyncio
import socket

from cachetools import TTLCache

from adc.net.socket_address import literal_host

Addresses = tuple[str, ...]

_MOST = 1024


class Names:
    """Looks names up, and keeps what it found for `fresh` seconds. Lookups under way are shared too, failures are not
    kept.

    A worker has one for the members of all pools: a name of many members is looked up once when the worker starts and
    once each time their intervals end.
    """

    __slots__ = ("_found", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, fresh: float = 0.0) -> None:
        self._loop = loop
        self._found: TTLCache[str, asyncio.Task[Addresses]] = TTLCache(_MOST, fresh, timer=loop.time)

    async def addresses(self, host: str) -> Addresses:
        """Return the addresses of `host`, in the resolver's order. Raises socket.gaierror."""
        asked = self._found.get(host)
        if asked is None:
            asked = self._found[host] = self._loop.create_task(self._ask(host))
        return await asyncio.shield(asked)  # a cancelled waiter does not stop the others

    async def _ask(self, host: str) -> Addresses:
        try:
            found = await self._loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            self._found.pop(host, None)
            reason = getattr(error, "strerror", None) or error
            raise socket.gaierror(f"{host} does not resolve: {reason}") from error
        return tuple(dict.fromkeys(literal_host(entry[4]) for entry in found))


def is_address(host: str) -> bool:
    """True if `host` is an address, which needs no lookup."""
    try:
        socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except OSError:
        return False
    return True
