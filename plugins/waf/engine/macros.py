"""Texts with macros: `Matched Data: %{TX.0} found within %{MATCHED_VAR_NAME}`."""

from __future__ import annotations

import re
from typing import Final

from adc_plugins.waf.engine.state import State

_MACRO: Final = re.compile(rb"%\{([^{}]*)\}")

Part = bytes | tuple[str, bytes]
"""Text, or variable and lower-case key."""


class Text:
    """A text whose macros are replaced by values; a macro without a value leaves nothing."""

    __slots__ = ("_key", "_parts", "constant")

    def __init__(self, text: bytes) -> None:
        self._parts = _parts(text)
        self._key = _only_tx_key(self._parts)
        self.constant: bytes | None = text if b"%{" not in text else None
        """The text if it has no macros."""

    def expand(self, state: State) -> bytes:
        """Return the text with the values of `state`."""
        if self.constant is not None:
            return self.constant
        if self._key is not None:
            return state.tx.get(self._key, b"")
        return b"".join([part if isinstance(part, bytes) else value_of(state, *part) for part in self._parts])


def value_of(state: State, variable: str, key: bytes) -> bytes:
    """Return the first value of a variable, or of the key of a collection; empty without one."""
    if variable == "TX":
        return state.tx.get(key, b"")
    for name, value in state.get(variable):
        if not key or name.lower() == key:
            return value
    return b""


def text_of(text: str) -> Text:
    """Return the text as rules write it."""
    return Text(text.encode("utf-8", "surrogateescape"))


def _parts(text: bytes) -> tuple[Part, ...]:
    pieces = _MACRO.split(text)
    return tuple(_macro(piece) if index % 2 else piece for index, piece in enumerate(pieces) if piece)


def _macro(text: bytes) -> Part:
    variable, _, key = text.replace(b":", b".", 1).partition(b".")
    return variable.decode("utf-8", "replace").upper(), key.lower()


def _only_tx_key(parts: tuple[Part, ...]) -> bytes | None:
    if len(parts) == 1 and not isinstance(parts[0], bytes) and parts[0][0] == "TX":
        return parts[0][1]
    return None
