"""The mark that a client carries: opaque and signed, so that it names a member without revealing one.

A mark holds a key number, a token of the member, when the pin was made and how old it was when it was last
refreshed (in milliseconds), and a MAC over all of it. Keys are derived for each pool, so a mark of one pool means
nothing in another. The token is a keyed digest: without the key it can be matched to no address, guessed or not.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from hmac import compare_digest
from math import ceil
from typing import Literal, NamedTuple

from adc.persistence.pin import Pin
from adc.state.key_ring import KeyRing

MARK_CHARACTERS = 48
FORMER_MARK_CHARACTERS = 44
_BODY = struct.Struct(">B8s6s5s")  # key number, member token, created, age
_FORMER_BODY = struct.Struct(">B8sII")  # key number, member token, created, seen: in whole seconds
_MAC_BYTES = 16
_CLOCK_SKEW = 300
_OLDEST_AGE = (1 << 40) - 1
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
        """Return the token of `member` and add it to `members`."""
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
    """The content of a genuine mark. `current` is False if the client should get a new one: an older key signed it, it
    has the former layout, or its times lie ahead."""

    pin: Pin
    current: bool


class Signer:
    """Makes and reads the marks of one pool. The first of `keys` signs, all of them verify; `members` are the ids of
    the pool's members. Raises ValueError without a key."""

    def __init__(self, pool: str, keys: KeyRing | Sequence[bytes], members: Iterable[bytes]) -> None:
        self._ring = keys if isinstance(keys, KeyRing) else KeyRing(keys)
        self._pool = pool
        self._members = tuple(members)
        self._secrets: tuple[bytes, ...] = ()
        self._current: tuple[_Key, ...] = ()

    @property
    def _keys(self) -> tuple[_Key, ...]:
        """The keys of the ring, derived anew when the ring has changed."""
        secrets = self._ring.keys
        if secrets is not self._secrets:
            self._current = tuple(_Key(secret, self._pool, self._members) for secret in secrets)
            self._secrets = secrets
        return self._current

    def sign(self, member: bytes, created: float, seen: float) -> str:
        """Return the mark of 48 characters (base64url) for `member`."""
        key = self._keys[0]
        made = int(created * 1000)
        age = min(max(0, ceil(seen * 1000) - made), _OLDEST_AGE)
        body = _BODY.pack(key.number, key.token(member), made.to_bytes(6, "big"), age.to_bytes(5, "big"))
        text = binascii.b2a_base64(body + key.mac(body), newline=False)
        return text.translate(_TO_URL).decode("ascii")

    def read(self, mark: str, now: float) -> Sealed | Rejection:
        """Return the content of `mark`, or the reason why it is invalid."""
        raw = _decode(mark)
        if raw is None:
            return "malformed"
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        for key in self._keys:
            if key.number == body[0] and compare_digest(key.mac(body), mac):
                break
        else:
            return "forged"
        token, created, seen = _parts(body)
        member = key.members.get(token)
        if member is None:
            return "removed"
        current = key is self._keys[0] and len(mark) == MARK_CHARACTERS and seen <= now + _CLOCK_SKEW
        # Times that lie far ahead were written before the clock was set back: the pin counts as made now.
        return Sealed(Pin(member, min(created, now), min(seen, now)), current)


def looks_like_mark(value: bytes) -> bool:
    """True if a cookie's `value` has the shape of a mark, with any signature."""
    return _decode(value.decode("latin-1")) is not None


def _parts(body: bytes) -> tuple[bytes, float, float]:
    """Return the member's token, when the pin was made and when it was refreshed, never earlier than it was."""
    if len(body) == _FORMER_BODY.size:
        _, token, created, seen = _FORMER_BODY.unpack(body)
        return token, created + 1.0, seen + 1.0
    _, token, made, age = _BODY.unpack(body)
    milliseconds = int.from_bytes(made, "big")
    return token, milliseconds / 1000, (milliseconds + int.from_bytes(age, "big")) / 1000


def _decode(mark: str) -> bytes | None:
    if (
        len(mark) not in (MARK_CHARACTERS, FORMER_MARK_CHARACTERS)
        or not mark.isascii()
        or "+" in mark
        or "/" in mark
    ):
        return None
    try:
        return binascii.a2b_base64(mark.encode("ascii").translate(_TO_STANDARD), strict_mode=True)
    except binascii.Error:
        return None
