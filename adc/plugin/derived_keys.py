"""Keys of a plugin, derived from the secrets of the node."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import overload

from adc.state.key_ring import KeyRing


class DerivedKeys(Sequence[bytes]):
    """The keys of 32 bytes for one purpose: the first signs or encrypts, all verify or decrypt. They change when the
    nodes agree on another secret, so read them at each use."""

    __slots__ = ("_keys", "_purpose", "_ring", "_secrets")

    def __init__(self, ring: KeyRing, purpose: bytes) -> None:
        self._ring = ring
        self._purpose = purpose
        self._secrets: tuple[bytes, ...] = ()
        self._keys: tuple[bytes, ...] = ()

    @property
    def current(self) -> tuple[bytes, ...]:
        """The keys as they are now; another tuple once they have changed."""
        secrets = self._ring.keys
        if secrets is not self._secrets:
            self._keys = tuple(hmac.digest(secret, self._purpose, "sha256") for secret in secrets)
            self._secrets = secrets
        return self._keys

    def __len__(self) -> int:
        return len(self.current)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[bytes, ...]: ...
    def __getitem__(self, index: int | slice) -> bytes | tuple[bytes, ...]:
        return self.current[index]
