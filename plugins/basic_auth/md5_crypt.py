"""Apache's MD5 hashes (`$apr1$`), as `htpasswd -m` writes them."""

from __future__ import annotations

from hashlib import md5

from adc_plugins.basic_auth.crypt_text import encode

MAGIC = "$apr1$"
_ROUNDS = 1000
_ORDER = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5), (11,))


def md5_crypt(password: bytes, salt: bytes) -> str:
    """Return the digest part of the hash."""
    final = _first(password, salt)
    for number in range(_ROUNDS):
        odd = number & 1
        data = password if odd else final
        if number % 3:
            data += salt
        if number % 7:
            data += password
        final = md5(data + (final if odd else password), usedforsecurity=False).digest()
    return encode(final, _ORDER)


def _first(password: bytes, salt: bytes) -> bytes:
    mixed = md5(password + salt + password, usedforsecurity=False).digest()
    data = password + MAGIC.encode() + salt
    data += (mixed * (len(password) // len(mixed) + 1))[: len(password)]
    bits = len(password)
    while bits:
        data += b"\0" if bits & 1 else password[:1]
        bits >>= 1
    return md5(data, usedforsecurity=False).digest()
