"""The option type for secrets, which no message and no representation shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema

_MOST = 64 << 10
_LAST_BREAKS = re.compile(r"[\r\n]+\Z")


class SecretText:
    """A secret: `reveal()` returns it, `str` and `repr` do not."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "SecretText(***)"

    def __bool__(self) -> bool:
        return bool(self._text)

    def reveal(self) -> str:
        """Return the secret as text."""
        return self._text


def _secret(value: object, info: ValidationInfo) -> SecretText:
    if isinstance(value, SecretText):
        return value
    if isinstance(value, str) and value:
        return SecretText(value)
    if isinstance(value, Mapping) and list(value) == ["file"] and isinstance(value["file"], str):
        return SecretText(_read(Path((info.context or {}).get("folder", ""), value["file"])))
    raise ValueError("is not a secret; write a text, such as ${NAME}, or {file: PATH}")


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > _MOST:
        raise ValueError(f"{path} has more than {_MOST} bytes")
    try:
        text = _LAST_BREAKS.sub("", data.decode())
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8") from None
    if not text:
        raise ValueError(f"{path} is empty")
    return text


Secret = Annotated[
    SecretText,
    BeforeValidator(_secret),
    PlainSerializer(lambda value: "***"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"file": {"type": "string"}},
                    "required": ["file"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""A secret: a text, usually from the environment (`${NAME}`), or `{file: PATH}`, whose last line break is dropped.
`reveal()` returns it; no message shows it."""
