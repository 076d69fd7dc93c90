"""Mutation fuzzing of ClientHellos.

`python -m tests.fuzz.fuzz_client_hello [iterations] [seed]` runs as long as you like; `test_fuzz_client_hello.py` does
so for a moment.
"""

from __future__ import annotations

import ssl
import sys
from contextlib import suppress
from random import Random

from adc.l4.client_hello import BadHello, ClientHello, HelloReader
from adc.l4.tcp.routes import TlsRoutes

LIMIT = 4096
ROUTES = TlsRoutes({"a.example.com": 1, "*.example.com": 2}, {"h2": 3}, None)
SPICE = (b"\x16\x03\x01", b"\x00\x00", b"\xff\xff", b"\x00\x10", b"\x01", b"\x15\x03\x03\x00\x02\x02\x28")


def _seed(name: str | None, protocols: tuple[str, ...]) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if protocols:
        context.set_alpn_protocols(list(protocols))
    outgoing = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


SEEDS = (_seed("a.example.com", ("h2", "http/1.1")), _seed("x.example.com", ()), _seed(None, ("x",)))


def mutated(data: bytes, chance: Random) -> bytes:
    """`data` with up to five pieces inserted, removed, repeated or replaced."""
    for _ in range(chance.randint(0, 5)):
        start = chance.randint(0, len(data))
        end = min(len(data), start + chance.randint(0, 6))
        piece = chance.choice((b"", chance.choice(SPICE), chance.randbytes(2), data[start:end] * 2))
        data = data[:start] + piece + data[end:]
    return data


def read(pieces: list[bytes]) -> ClientHello | None:
    """Return what the first bytes of a stream hold; None if they are rejected or incomplete."""
    reader = HelloReader(LIMIT)
    with suppress(BadHello):
        for piece in pieces:
            found = reader.feed(piece)
            if found is not None:
                return found
    return None


def check(data: bytes, chance: Random) -> bool:
    """Read `data` whole and in pieces; True if it holds a ClientHello. Only BadHello is raised."""
    whole = read([data])
    cut = chance.randint(1, 60)
    assert read([data[at : at + cut] for at in range(0, len(data), cut)]) == whole
    if whole is None:
        return False
    assert whole.server_name == whole.server_name.lower()
    assert whole.server_name.isascii()
    assert all(0 < len(name) < 256 for name in whole.alpn)
    ROUTES.find(whole)
    return True


def fuzz(iterations: int, seed: int) -> int:
    """Run; returns how many inputs held a ClientHello."""
    chance = Random(seed)
    return sum(check(mutated(chance.choice(SEEDS), chance), chance) for _ in range(iterations))


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]] + [1_000_000, 0][len(sys.argv) - 1 :]
    print(f"{fuzz(*numbers[:2])} of {numbers[0]} inputs held a ClientHello")
