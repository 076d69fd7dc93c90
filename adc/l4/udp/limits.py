"""The rate of datagrams of one source. No I/O."""

from __future__ import annotations

from typing import Final

from adc.http.networks import parse_address

SOURCES: Final = 65_536
"""Sources that are remembered; the one that has been silent longest is forgotten first."""

_SUBNET_SHIFT: Final = 64


class DatagramRate:
    """Admits `rate` datagrams a second of each source, and as many at once after a pause. The clients of an IPv6 /64
    are one source, because a host may use any of its addresses."""

    def __init__(self, rate: int, most: int = SOURCES) -> None:
        self.rate = rate
        self._most = most
        self._left: dict[str | int, tuple[float, float]] = {}

    def admit(self, address: str, now: float) -> bool:
        """Count a datagram of `address` at `now` (monotonic seconds); False if it is one too many."""
        source: str | int = address
        if ":" in address:
            source = _subnet(address)
        rate = float(self.rate)
        found = self._left.pop(source, None)
        left = rate if found is None else min(rate, found[0] + (now - found[1]) * rate)
        if found is None and len(self._left) >= self._most:
            del self._left[next(iter(self._left))]
        admitted = left >= 1.0
        self._left[source] = (left - 1.0 if admitted else left, now)
        return admitted


def _subnet(address: str) -> str | int:
    parsed = parse_address(address.partition("%")[0])
    if parsed is None or parsed.version == 4:
        return str(parsed or address)
    return int(parsed) >> _SUBNET_SHIFT
