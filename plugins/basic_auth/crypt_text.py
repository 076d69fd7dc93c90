"""The base64 of crypt(3): least significant bits first, in an alphabet of its own."""

from __future__ import annotations

from collections.abc import Iterable

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def encode(digest: bytes, order: Iterable[tuple[int, ...]]) -> str:
    """Return the bytes of `digest` in `order`, up to three at a time (most significant first)."""
    text = ""
    for group in order:
        number = 0
        for position in group:
            number = number << 8 | digest[position]
        for _ in range(len(group) + 1):
            text += _ALPHABET[number & 63]
            number >>= 6
    return text
