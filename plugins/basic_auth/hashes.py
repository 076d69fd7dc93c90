"""Hashes of passwords, by the formats that htpasswd files have."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from functools import partial

from adc_plugins.basic_auth.md5_crypt import md5_crypt
from adc_plugins.basic_auth.sha_crypt import DEFAULT_ROUNDS, MOST_ROUNDS, sha256_crypt, sha512_crypt

Verify = Callable[[bytes], bool]
"""Returns True if a password (UTF-8) is the right one. Takes milliseconds: for a thread."""

_BCRYPT = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}")
_BCRYPT_BYTES = 72
_BCRYPT_COSTS = range(4, 18)
_APR1 = re.compile(r"\$apr1\$([^$:]{0,8})\$([./A-Za-z0-9]{22})")
_SHA = re.compile(r"\$([56])\$(?:rounds=([0-9]{1,9})\$)?([^$:]{0,16})\$([./A-Za-z0-9]{43}|[./A-Za-z0-9]{86})")
_ARGON2 = re.compile(
    r"\$argon2(?:id|i|d)\$v=19\$m=([0-9]{1,8}),t=([0-9]{1,4}),p=([0-9]{1,3})\$[^$:]+\$[^$:]+"
)
_ARGON2_MEMORY = 1 << 20
_ADVICE = "use bcrypt (htpasswd -B) or argon2"


def parse_hash(text: str) -> Verify:
    """Return the verification of a hash. Raises ValueError, which does not show it."""
    if found := _BCRYPT.fullmatch(text):
        return _bcrypt(text.encode(), int(found[1]))
    if found := _ARGON2.fullmatch(text):
        return _argon2(text, int(found[1]))
    if found := _APR1.fullmatch(text):
        return partial(_same, partial(md5_crypt, salt=found[1].encode()), found[2])
    if found := _SHA.fullmatch(text):
        return _sha(found[1], found[2], found[3].encode(), found[4])
    raise ValueError(_objection(text))


def _bcrypt(text: bytes, cost: int) -> Verify:
    import bcrypt

    if cost not in _BCRYPT_COSTS:
        raise ValueError(f"a bcrypt cost of {cost}; allowed: {_BCRYPT_COSTS[0]} to {_BCRYPT_COSTS[-1]}")

    def verify(password: bytes) -> bool:
        # The algorithm reads 72 bytes; the library refuses more, and NUL ends a password in others.
        return b"\0" not in password and bcrypt.checkpw(password[:_BCRYPT_BYTES], text)

    return verify


def _argon2(text: str, memory: int) -> Verify:
    from argon2 import PasswordHasher, extract_parameters
    from argon2.exceptions import InvalidHashError, VerificationError

    if memory > _ARGON2_MEMORY:
        raise ValueError(f"an argon2 hash that needs {memory} KiB; allowed: up to {_ARGON2_MEMORY}")
    try:
        extract_parameters(text)
    except InvalidHashError:
        raise ValueError("a malformed argon2 hash") from None
    hasher = PasswordHasher()

    def verify(password: bytes) -> bool:
        try:
            return hasher.verify(text, password)
        except VerificationError:
            return False

    return verify


def _sha(kind: str, rounds: str | None, salt: bytes, digest: str) -> Verify:
    number = int(rounds) if rounds else DEFAULT_ROUNDS
    if not 1000 <= number <= MOST_ROUNDS:
        raise ValueError(f"a SHA-crypt hash of {number} rounds; allowed: 1000 to {MOST_ROUNDS}")
    crypt = sha256_crypt if kind == "5" else sha512_crypt
    return partial(_same, partial(crypt, salt=salt, rounds=number), digest)


def _same(crypt: Callable[[bytes], str], digest: str, password: bytes) -> bool:
    return hmac.compare_digest(crypt(password), digest)


def _objection(text: str) -> str:
    if text.startswith("{SHA}"):
        return f"SHA-1 without a salt; {_ADVICE}"
    if text.startswith("$"):
        return "a hash that is malformed or of an unknown kind; known: bcrypt ($2y$), argon2, $apr1$, $5$ and $6$"
    return f"a password in plain text or by DES crypt, which is not allowed; {_ADVICE}"
