"""The rate of datagrams of one source, counted over all workers of a machine. No I/O."""

from __future__ import annotations

from typing import Final

from adc.firewall.buckets import Buckets
from adc.http.networks import parse_address

_SUBNET_SHIFT: Final = 64


class DatagramRate:
    """Admits `rate` datagrams a second of each source at one listener, and as many at once after a pause.

    The clients of an IPv6 /64 are one source, because a host may use any of its addresses. Workers share the counts
    in `buckets`: the kernel chooses the worker by the client's port, which a source may change at will.
    """

    def __init__(self, rate: int, listener: str, buckets: Buckets) -> None:
        self.rate = rate
        self._prefix = f"(udp)\0{listener}\0".encode()
        self._interval = 1.0 / rate
        self._buckets = buckets

    def admit(self, address: str, now: float) -> bool:
        """Count a datagram of `address` at `now` (monotonic seconds); False if it is one too many."""
        source = _subnet(address) if ":" in address else address.encode()
        return not self._buckets.over(self._prefix + source, self._interval, self.rate, now)


def _subnet(address: str) -> bytes:
    parsed = parse_address(address)
    if parsed is None or parsed.version == 4:
        return str(parsed or address).encode()
    return b"%x/64" % (int(parsed) >> _SUBNET_SHIFT)
