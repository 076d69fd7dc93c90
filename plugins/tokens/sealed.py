"""Text that only this service can make and read (AES-GCM)."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class Sealer:
    """Seals with the first key, opens with any. What is sealed for one `purpose` does not open for another."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys
        self._known: tuple[bytes, ...] = ()
        self._made: list[AESGCM] = []

    @property
    def _ciphers(self) -> list[AESGCM]:
        """The ciphers of the keys, which change when the nodes of a cluster agree on others."""
        keys = tuple(self._keys)
        if keys != self._known:
            self._made = [AESGCM(key) for key in keys]
            self._known = keys
        return self._made

    def seal(self, data: bytes, purpose: bytes) -> bytes:
        """Return `data` encrypted."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._ciphers[0].encrypt(nonce, data, purpose)

    def open(self, sealed: bytes, purpose: bytes) -> bytes | None:
        """Return the data, None if it was not sealed here for that purpose."""
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose)
            except (InvalidTag, ValueError):
                continue
        return None


def to_text(data: bytes) -> str:
    """Return bytes as a cookie can have them."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_text(text: str) -> bytes | None:
    """Return the bytes, None for other text."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
