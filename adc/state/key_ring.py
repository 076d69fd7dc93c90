"""The secrets of a node, which change when the nodes agree on another one."""

from __future__ import annotations

from collections.abc import Sequence


class KeyRing:
    """The first of `keys` signs, all of them verify. `keys` is replaced as a whole, so a user that derives anything
    from it compares the tuple by identity. Raises ValueError without a key."""

    __slots__ = ("keys",)

    def __init__(self, keys: Sequence[bytes]) -> None:
        self.keys: tuple[bytes, ...] = ()
        self.replace(keys)

    def replace(self, keys: Sequence[bytes]) -> None:
        """Sign and verify with `keys`, of which only the first copy of each counts."""
        if not keys:
            raise ValueError("a signer needs at least one key")
        unique = tuple(dict.fromkeys(keys))
        if unique != self.keys:
            self.keys = unique
