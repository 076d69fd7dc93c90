"""The mark that a client carries: opaque and signed, so that it names a member without revealing one.

A mark holds a key number, a token of the member, when the pin was made and last refreshed, and a MAC over
all of it. Keys are derived for each pool, so a mark of one pool means nothing in another. The token is a
keyed digest: without the key it can be matched to no address, guessed or not.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from hmac import compare_digest
from typing import Literal, NamedTuple

from adc.persistence.pin import Pin

MARK_CHARACTERS = 44
_BODY = struct.Struct(">B8sII")  # key number, member token, created, seen
_MAC_BYTES = 16
_CLOCK_SKEW = 300
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_TO_URL = bytes.maketrans(b"+/", b"-_")

Rejection = Literal["malformed", "forged", "removed"]


class _Key:
    """One signing key as one pool uses it."""

    __slots__ = ("_secret", "_tokens", "members", "number")

    def __init__(self, secret: bytes, pool: str, members: Iterable[bytes]) -> None:
        root = blake2b(secret, digest_size=32, person=b"adc.key").digest()
        self._secret = blake2b(pool.encode(), key=root, digest_size=32, person=b"adc.pool").digest()
        self.number = self.digest(b"number", b"adc.number", 1)[0]
        self._tokens: dict[bytes, bytes] = {}
        self.members: dict[bytes, bytes] = {}
        for member in members:
            self.token(member)

    def token(self, member: bytes) -> bytes:
        """What stands for `member`. One that a reload brings is known from then on."""
        token = self._tokens.get(member)
        if token is None:
            token = self._tokens[member] = self.digest(member, b"adc.token", 8)
            self.members[token] = member
        return token

    def digest(self, data: bytes, purpose: bytes, size: int) -> bytes:
        return blake2b(data, key=self._secret, digest_size=size, person=purpose).digest()

    def mac(self, body: bytes) -> bytes:
        return self.digest(body, b"adc.mac", _MAC_BYTES)


class Sealed(NamedTuple):
    """What a genuine mark says. `current` is False if an older key signed it: give the client a new one."""

    pin: Pin
    current: bool


class Signer:
    """Makes and reads the marks of one pool. The first of `keys` signs, all are believed; `members` are the
    ids of the pool's members. Raises ValueError without a key."""

    def __init__(self, pool: str, keys: Sequence[bytes], members: Iterable[bytes]) -> None:
        if not keys:
            raise ValueError("a signer needs at least one key")
        listed = tuple(members)
        self._keys = tuple(_Key(key, pool, listed) for key in keys)

    def sign(self, member: bytes, created: float, seen: float) -> str:
        """The mark of 44 characters (base64url) for `member`."""
        key = self._keys[0]
        body = _BODY.pack(key.number, key.token(member), int(created), int(seen))
        text = binascii.b2a_base64(body + key.mac(body), newline=False)
        return text.translate(_TO_URL).decode("ascii")

    def read(self, mark: str, now: float) -> Sealed | Rejection:
        """What `mark` says, or why it is not believed."""
        raw = _decode(mark)
        if raw is None:
            return "malformed"
        body, mac = raw[: _BODY.size], raw[_BODY.size :]
        number, token, created, seen = _BODY.unpack(body)
        for key in self._keys:
            if key.number == number and compare_digest(key.mac(body), mac):
                break
        else:
            return "forged"
        if created > now + _CLOCK_SKEW:
            return "forged"
        member = key.members.get(token)
        if member is None:
            return "removed"
        return Sealed(Pin(member, float(created), float(seen)), key is self._keys[0])


def looks_like_mark(value: bytes) -> bool:
    """Return True if a cookie's `value` has the shape of a mark, whoever signed it."""
    return _decode(value.decode("latin-1")) is not None


def _decode(mark: str) -> bytes | None:
    if len(mark) != MARK_CHARACTERS or not mark.isascii() or "+" in mark or "/" in mark:
        return None
    try:
        return binascii.a2b_base64(mark.encode("ascii").translate(_TO_STANDARD), strict_mode=True)
    except binascii.Error:
        return None
