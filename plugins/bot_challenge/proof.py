"""Challenges, their solutions, and the passes that solutions earn. No I/O."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

CHALLENGE_SECONDS = 300
"""Time for solving a challenge."""

_CHALLENGE = re.compile(r"([0-9]{1,12})\.([0-9]{1,2})\.([A-Za-z0-9_\-]{16})\.([A-Za-z0-9_\-]{43})")
_SOLUTION = re.compile(r"(.{30,120})\.([0-9]{1,12})")
_PASS = re.compile(r"([0-9]{1,12}\.[0-9]{1,2})\.([A-Za-z0-9_\-]{43})")


class Solved(NamedTuple):
    """A solution that is right; `identity` is that of the challenge, which may be used once."""

    identity: bytes


class Proofs:
    """Signs with the first key, verifies with any. `client` is what challenges and passes are bound to."""

    def __init__(self, keys: Sequence[bytes], difficulty: int) -> None:
        self._keys = keys
        self._difficulty = difficulty

    def challenge(self, client: bytes, now: float) -> str:
        """Return a new challenge."""
        head = f"{int(now)}.{self._difficulty}.{secrets.token_urlsafe(12)}"
        return f"{head}.{_mac(self._keys[0], b'challenge', head, client)}"

    def check(self, solution: str, client: bytes, now: float) -> Solved | None:
        """Return what was solved; None unless the challenge was made here, for this client, not long ago, and the
        number fits."""
        parts = _SOLUTION.fullmatch(solution)
        found = _CHALLENGE.fullmatch(parts[1]) if parts else None
        if found is None:
            return None
        made, difficulty, identity, mac = found.groups()
        if not -5 <= now - int(made) <= CHALLENGE_SECONDS or int(difficulty) != self._difficulty:
            return None
        if not self._signed(mac, b"challenge", f"{made}.{difficulty}.{identity}", client):
            return None
        return Solved(identity.encode()) if leading_zeros(solution) >= self._difficulty else None

    def make_pass(self, client: bytes, until: float) -> str:
        """Return the value of a cookie. It names the difficulty, since other routes have the same keys."""
        head = f"{int(until)}.{self._difficulty}"
        return f"{head}.{_mac(self._keys[0], b'pass', head, client)}"

    def has_pass(self, text: str, client: bytes, now: float) -> bool:
        """True if the cookie was made here for this client, by a challenge as difficult as this one, and is still
        valid."""
        found = _PASS.fullmatch(text)
        if found is None:
            return False
        until, difficulty = map(int, found[1].split("."))
        if now >= until or difficulty < self._difficulty:
            return False
        return self._signed(found[2], b"pass", found[1], client)

    def _signed(self, mac: str, purpose: bytes, text: str, client: bytes) -> bool:
        return any(hmac.compare_digest(mac, _mac(key, purpose, text, client)) for key in self._keys)


def leading_zeros(solution: str) -> int:
    """Return the number of zero bits at the beginning of the digest."""
    digest = sha256(solution.encode()).digest()
    return 256 - int.from_bytes(digest).bit_length()


def _mac(key: bytes, purpose: bytes, text: str, client: bytes) -> str:
    digest = hmac.digest(key, b"\0".join((purpose, text.encode(), client)), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
