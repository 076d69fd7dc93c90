"""Replace each token of a value by a table, without a call of Python for each."""

from __future__ import annotations

import re
from collections.abc import Callable


def replace_tokens(value: bytes, token: re.Pattern[bytes], replacement: Callable[[bytes], bytes]) -> bytes:
    """Return `value` with each match of `token` replaced; `token` is one capturing group."""
    parts = token.split(value)
    if len(parts) == 1:
        return value
    parts[1::2] = map(replacement, parts[1::2])
    return b"".join(parts)


_MOST_TOKENS = 4096
_LONGEST_TOKEN = 12


class TokenTable(dict[bytes, bytes]):
    """The replacement of each token, worked out by `decode`; the first few thousand short ones are kept."""

    __slots__ = ("_decode",)

    def __init__(self, decode: Callable[[bytes], bytes]) -> None:
        super().__init__()
        self._decode = decode

    def __missing__(self, token: bytes) -> bytes:
        replacement = self._decode(token)
        if len(token) <= _LONGEST_TOKEN and len(self) < _MOST_TOKENS:
            self[token] = replacement
        return replacement
