"""Socket addresses of other nodes: literal ones at once, names by look-ups that are renewed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import Any, Final

from adc.net.names import Names

RENEWAL: Final = 30.0
"""Seconds after which a name is looked up again, because a node that starts anew may have another address."""

RETRY: Final = 1.0
"""Seconds after a failed look-up until the next."""

MOST: Final = 4096


class NodeAddresses:
    """Socket addresses by advertised ones (`host:port`). The last one of a name serves while no other is found."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._names = Names(loop)
        self._fixed: dict[str, Any] = {}
        self._found: dict[str, Any] = {}
        self._due: dict[str, float] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}

    def learn(self, advertised: Iterable[str], family: int) -> None:
        """Look names up before a datagram needs them, and again when they are due."""
        for each in advertised:
            self.find(each, family)

    def find(self, advertised: str, family: int) -> Any:
        """Return the socket address of `advertised`; None while its name is looked up for the first time."""
        fixed = self._fixed.get(advertised)
        if fixed is not None:
            return fixed
        if advertised not in self._looking and self._loop.time() >= self._due.get(advertised, 0.0):
            return self._read(advertised, family)
        return self._found.get(advertised)

    def _read(self, advertised: str, family: int) -> Any:
        host, _, port = advertised.rpartition(":")
        if not port.isdecimal():
            return None
        if len(self._fixed) + len(self._due) >= MOST:
            self._forget()
        place = (host.strip("[]"), int(port))
        try:
            socket.inet_pton(family, place[0])
        except OSError:
            self._due[advertised] = self._loop.time() + RENEWAL
            look_up = self._look_up(advertised, *place, family)
            self._looking[advertised] = self._loop.create_task(look_up)
            return self._found.get(advertised)
        self._fixed[advertised] = place
        return place

    def _forget(self) -> None:
        for known in (self._fixed, self._found, self._due):
            known.clear()

    async def _look_up(self, advertised: str, host: str, port: int, family: int) -> None:
        try:
            for found in await self._names.addresses(host):
                if (":" in found) == (family == socket.AF_INET6):
                    self._found[advertised] = (found, port)
                    break
        except OSError:
            self._due[advertised] = self._loop.time() + RETRY
        finally:
            del self._looking[advertised]
