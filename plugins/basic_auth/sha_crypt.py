"""SHA-crypt hashes (`$5$`, `$6$`), as `htpasswd -2`, `htpasswd -5` and `openssl passwd` write them."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256, sha512
from typing import Any

from adc_plugins.basic_auth.crypt_text import encode

DEFAULT_ROUNDS = 5000
MOST_ROUNDS = 200_000
"""Rounds of one hash: each takes about a microsecond."""


def _rotated(count: int, parts: tuple[int, int, int], step: int) -> list[tuple[int, ...]]:
    """Return the order of a digest: `count` groups of three positions that rotate by `step`."""
    order: list[tuple[int, ...]] = []
    for _ in range(count):
        order.append(parts)
        turned = parts[step:] + parts[:step]
        parts = (turned[0] + 1, turned[1] + 1, turned[2] + 1)
    return order


_SHA256 = [*_rotated(10, (0, 10, 20), 2), (31, 30)]
_SHA512 = [*_rotated(21, (0, 21, 42), 1), (63,)]


def sha256_crypt(password: bytes, salt: bytes, rounds: int) -> str:
    """Return the digest part of a `$5$` hash."""
    return encode(_digest(password, salt, rounds, sha256), _SHA256)


def sha512_crypt(password: bytes, salt: bytes, rounds: int) -> str:
    """Return the digest part of a `$6$` hash."""
    return encode(_digest(password, salt, rounds, sha512), _SHA512)


def _digest(password: bytes, salt: bytes, rounds: int, hashed: Callable[[bytes], Any]) -> bytes:
    final: bytes = _first(password, salt, hashed)
    repeated = _filled(hashed(password * len(password)).digest(), len(password))
    salted = _filled(hashed(salt * (16 + final[0])).digest(), len(salt))
    for number in range(rounds):
        odd = number & 1
        data = repeated if odd else final
        if number % 3:
            data += salted
        if number % 7:
            data += repeated
        final = hashed(data + (final if odd else repeated)).digest()
    return final


def _first(password: bytes, salt: bytes, hashed: Callable[[bytes], Any]) -> bytes:
    mixed = hashed(password + salt + password).digest()
    data = password + salt + _filled(mixed, len(password))
    bits = len(password)
    while bits:
        data += mixed if bits & 1 else password
        bits >>= 1
    digest: bytes = hashed(data).digest()
    return digest


def _filled(digest: bytes, size: int) -> bytes:
    return (digest * (size // len(digest) + 1))[:size]
