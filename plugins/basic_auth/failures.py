"""Failed attempts of each client, counted over all workers."""

from __future__ import annotations

import math

from pydantic import Field

from adc.plugin import Duration, Host, Options, parse_address

_CLIENTS = 20_000
_NETWORK_BYTES = 8


class FailureLimit(Options):
    """The failed attempts that a client has."""

    most: int = Field(10, ge=1)
    """Failed attempts in a window; then each attempt gets 429 until the window ends. An address of IPv6 counts with
    its /64 network."""

    window: Duration = 300.0
    """The window begins with the first failed attempt."""


class Failures:
    """Attempts in the table `failures`. Each is counted before it is verified, so that attempts at the same time count
    too; one that succeeds is taken back."""

    def __init__(self, limit: FailureLimit, host: Host) -> None:
        self._limit = limit
        self._host = host
        self._table = host.table("failures", _CLIENTS)

    def attempt(self, client: str) -> int:
        """Count an attempt; return the seconds until the next one is allowed, 0 if this one is."""
        count = self._table.add(_key(client), 1, self._limit.window)
        if count.total <= self._limit.most:
            return 0
        return max(1, math.ceil(count.expires - self._host.wall()))

    def taken_back(self, client: str) -> None:
        """Take an attempt back that did not fail."""
        self._table.add(_key(client), -1, self._limit.window)


def _key(client: str) -> bytes:
    address = parse_address(client)
    if address is None:
        return client.encode()[:255] or b"-"
    return address.packed if address.version == 4 else address.packed[:_NETWORK_BYTES] + b"/64"
