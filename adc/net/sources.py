"""The number of connections that one client has open. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

from adc.http.networks import parse_address

if TYPE_CHECKING:
    from adc.net.shared_sources import ListenerSources

_SUBNET_SHIFT = 64


class SourceLimit:
    """Admits up to `limit` connections a source. IPv6 clients of one /64 count as one: a host may take any of it.

    Addresses for which `exempt` is true (proxies that many clients come through) are not limited. `present` are the
    addresses of connections that are open already. With `shared`, connections in other workers count too.
    """

    def __init__(
        self,
        limit: int,
        exempt: Callable[[str], bool] = lambda address: False,
        present: Iterable[str] = (),
        shared: ListenerSources | None = None,
    ) -> None:
        self.limit = limit
        self._shared = shared
        self._exempt = exempt
        self._counts: dict[str | int, int] = {}
        for address in present:
            self.add(address)

    def follow(self, limit: int, exempt: Callable[[str], bool]) -> None:
        """Apply another limit and other exemptions from now on; the counts stay."""
        self.limit, self._exempt = limit, exempt

    def add(self, address: str) -> None:
        """Count a connection of `address` that is open already."""
        key = _source(address)
        self._count(key, self._counts.get(key, 0) + 1)

    def admit(self, address: str) -> bool:
        """Count a connection of `address`; False, and not counted, if it is one too many."""
        key = _source(address)
        count = self._counts.get(key, 0)
        if count >= self.limit and not self._exempt(address):
            return False
        self._count(
            key, count + 1
        )  # before the others are read: two workers that admit at once must not both miss it
        shared = self._shared
        if (
            shared is not None
            and count + 1 + shared.elsewhere(key) > self.limit
            and not self._exempt(address)
        ):
            self._count(key, count)
            return False
        return True

    def full(self, address: str) -> bool:
        """True if another connection of `address` would not be admitted."""
        return self._counts.get(_source(address), 0) >= self.limit and not self._exempt(address)

    def leave(self, address: str) -> None:
        """Note that an admitted connection is closed."""
        key = _source(address)
        self._count(key, self._counts.get(key, 0) - 1)

    def close(self) -> None:
        """Count no more for other workers."""
        shared, self._shared = self._shared, None
        if shared is not None:
            for key in self._counts:
                shared.report(key, 0)

    def _count(self, key: str | int, count: int) -> None:
        if count > 0:
            self._counts[key] = count
        elif self._counts.pop(key, None) is None:
            return
        if self._shared is not None:
            self._shared.report(key, count)


@lru_cache(1024)
def _source(address: str) -> str | int:
    parsed = parse_address(address)
    return int(parsed) >> _SUBNET_SHIFT if isinstance(parsed, IPv6Address) else str(parsed or address)
