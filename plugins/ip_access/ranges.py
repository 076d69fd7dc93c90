"""Many networks in little memory, and the file format of lists of them."""

from __future__ import annotations

import socket
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

_MAPPED = b"\0" * 10 + b"\xff\xff"
_MAPPED_BITS = 96
_LONGEST_TEXT = 64

Range = tuple[int, int]


def packed(text: str) -> bytes | None:
    """Return the bytes of the address that `text` writes, None for other text. IPv4 mapped into IPv6 is IPv4; a zone is
    dropped."""
    if len(text) > _LONGEST_TEXT:
        return None
    try:
        if ":" not in text:
            return socket.inet_pton(socket.AF_INET, text)
        address = socket.inet_pton(socket.AF_INET6, text.partition("%")[0])
    except (OSError, ValueError):
        return None
    return address[12:] if address.startswith(_MAPPED) else address


def parse_network(text: str) -> tuple[int, Range]:
    """Return the bytes of an address and the first and last number of a network such as `10.0.0.0/8`, or of an address.

    Host bits are ignored, as in the lists of many providers. Raises ValueError.
    """
    written, slash, length_text = text.partition("/")
    address = packed(written)
    if address is None:
        raise ValueError(f"{text[:80]!r} is not a network such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7")
    bits = 8 * len(address)
    length = bits
    if slash:
        if not (length_text.isascii() and length_text.isdigit() and len(length_text) <= 3):
            raise ValueError(f"{text[:80]!r} has a bad prefix length; allowed: 0 to {bits}")
        length = int(length_text) - (_MAPPED_BITS if bits == 32 and ":" in written else 0)
        if not 0 <= length <= bits:
            raise ValueError(f"{text[:80]!r} has a bad prefix length; allowed: 0 to {bits}")
    hosts = (1 << (bits - length)) - 1
    first = int.from_bytes(address, "big") & ~hosts
    return len(address), (first, first | hosts)


def parse_list(lines: Iterable[str]) -> Iterator[tuple[int, Range]]:
    """Yield the networks in the lines of a list, as `parse_network` returns them: one a line, `#` and `;` begin a
    comment. Raises ValueError with the number of a line that has something else."""
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].partition(";")[0].strip()
        if text:
            try:
                yield parse_network(text)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None


class Ranges:
    """A set of networks as sorted ranges that do not overlap: one bisection finds an address."""

    __slots__ = ("_v4", "_v6")

    def __init__(self, networks: Iterable[tuple[int, Range]]) -> None:
        by_length: dict[int, list[Range]] = {4: [], 16: []}
        for length, bounds in networks:
            by_length[length].append(bounds)
        v4, v6 = _joined(by_length[4]), _joined(by_length[16])
        self._v4: tuple[Sequence[int], Sequence[int]] = (
            array("L", (first for first, _ in v4)),
            array("L", (last for _, last in v4)),
        )
        self._v6 = ([first for first, _ in v6], [last for _, last in v6])

    def __len__(self) -> int:
        """Return the number of ranges."""
        return len(self._v4[0]) + len(self._v6[0])

    def contains(self, address: bytes) -> bool:
        """True if `address`, as `packed` returns it, is in one of the networks."""
        firsts, lasts = self._v4 if len(address) == 4 else self._v6
        number = int.from_bytes(address, "big")
        place = bisect_right(firsts, number)
        return place > 0 and number <= lasts[place - 1]


def _joined(ranges: list[Range]) -> list[Range]:
    """Return the union as sorted ranges with gaps between them."""
    ranges.sort()
    joined: list[Range] = []
    for first, last in ranges:
        if joined and first <= joined[-1][1] + 1:
            if last > joined[-1][1]:
                joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined
