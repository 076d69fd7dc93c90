"""Mutation fuzzing of PROXY protocol headers.

`python -m tests.fuzz.fuzz_proxy_protocol [iterations] [seed]` runs as long as you like;
`test_fuzz_proxy_protocol.py` does so for a moment.
"""

from __future__ import annotations

import socket
import sys
from ipaddress import ip_address
from random import Random

from adc.net.proxy_protocol import MAX_V2, BadHeader, HeaderReader, compose, parse

ENDS = ((("192.0.2.1", 1), ("198.51.100.7", 443)), (("2001:db8::1", 65535), ("::", 0)), None)
SEEDS = tuple(compose(version, ends) for version in ("v1", "v2") for ends in ENDS)
SPICE = (b"\r\n", b"\r", b" ", b"%", b"\x00", b"\xff\xff", b"0", b"PROXY ", b"TCP6", b"UNKNOWN", b"::")


def mutated(data: bytes, chance: Random) -> bytes:
    """`data` with up to five pieces inserted, removed, repeated or replaced."""
    for _ in range(chance.randint(0, 5)):
        start = chance.randint(0, len(data))
        end = min(len(data), start + chance.randint(0, 6))
        piece = chance.choice((b"", chance.choice(SPICE), chance.randbytes(2), data[start:end] * 2))
        data = data[:start] + piece + data[end:]
    return data


def check(data: bytes, chance: Random) -> bool:
    """Read `data` in pieces; True if a header was found. Only BadHeader is raised, and never too much taken."""
    reader, taken = HeaderReader(), 0
    try:
        while not reader.done and taken < len(data):
            count = reader.feed(data[taken : taken + chance.randint(1, 60)])
            assert count > 0
            taken += count
    except BadHeader:
        return False
    assert taken <= min(len(data), MAX_V2)
    if not reader.done:
        return False
    assert parse(data[:taken]) == reader.ends
    for address, port in reader.ends or ():
        known = ip_address(address)
        assert (
            socket.inet_ntop(socket.AF_INET if known.version == 4 else socket.AF_INET6, known.packed)
            == address
        )
        assert 0 <= port <= 0xFFFF
    return True


def fuzz(iterations: int, seed: int) -> int:
    """Run; returns how many inputs held a header."""
    chance = Random(seed)
    return sum(check(mutated(chance.choice(SEEDS), chance), chance) for _ in range(iterations))


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]] + [1_000_000, 0][len(sys.argv) - 1 :]
    print(f"{fuzz(*numbers[:2])} of {numbers[0]} inputs held a header")
