"""Structured fields (RFC 9651): dictionaries, as far as this proxy reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_KEY = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_NUMBER = re.compile(r"-?(?:[0-9]{1,12}\.[0-9]{1,3}|[0-9]{1,15})(?![0-9.])")
_STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_TOKEN = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*")
_BYTES = re.compile(r":[A-Za-z0-9+/=]*:")
_DATE = re.compile(r"@-?[0-9]{1,15}(?![0-9.])")
_DISPLAY = re.compile(r'%"(?:[ !#$&-~]|%[0-9a-f]{2})*"')
_OWS = re.compile(r"[ \t]*")


class StructuredFieldError(ValueError):
    """The field does not follow the grammar; RFC 9651 section 4.2 has the whole field ignored."""


@dataclass(frozen=True, slots=True)
class Token:
    """A bare word, distinct from a String. Byte sequences, dates and display strings are kept as texts too."""

    text: str


Bare = bool | int | float | str | Token
Member = Bare | list[Bare]


def parse_dictionary(lines: Iterable[bytes]) -> dict[str, Member]:
    """Return members by key, the last of a repeated key, parameters dropped. Raises StructuredFieldError."""
    try:
        text = ", ".join(line.decode("ascii") for line in lines).strip(" ")
    except UnicodeDecodeError:
        raise StructuredFieldError("not ASCII") from None
    members: dict[str, Member] = {}
    reader = _Reader(text)
    while reader.rest():
        key = reader.key()
        members[key] = reader.member() if reader.take("=") else reader.flag()
        reader.skip(_OWS)
        if not reader.rest():
            break
        if not reader.take(","):
            raise StructuredFieldError(f"comma expected at {reader.position}")
        reader.skip(_OWS)
        if not reader.rest():
            raise StructuredFieldError("trailing comma")
    return members


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def rest(self) -> bool:
        return self.position < len(self.text)

    def take(self, mark: str) -> bool:
        found = self.text.startswith(mark, self.position)
        self.position += found
        return found

    def skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.position)
        self.position = match.end() if match else self.position

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self.text, self.position)
        if match is None:
            raise StructuredFieldError(f"unexpected text at {self.position}")
        self.position = match.end()
        return match

    def key(self) -> str:
        return self._match(_KEY)[0]

    def flag(self) -> bool:
        self._parameters()
        return True

    def member(self) -> Member:
        value: Member = self._inner_list() if self.take("(") else self._bare()
        self._parameters()
        return value

    def _inner_list(self) -> list[Bare]:
        items: list[Bare] = []
        while True:
            while self.take(" "):
                pass
            if self.take(")"):
                return items
            items.append(self._bare())
            self._parameters()
            if not self.text.startswith((" ", ")"), self.position):
                raise StructuredFieldError(f"space expected at {self.position}")

    def _parameters(self) -> None:
        while self.take(";"):
            while self.take(" "):
                pass
            self.key()
            if self.take("="):
                self._bare()

    def _bare(self) -> Bare:
        mark = self.text[self.position : self.position + 1]
        if mark == "-" or mark.isdigit():
            number = self._match(_NUMBER)[0]
            return float(number) if "." in number else int(number)
        if mark == '"':
            return re.sub(r"\\(.)", r"\1", self._match(_STRING)[1])
        if mark == "?":
            return self._match(_BOOLEAN)[0] == "?1"
        pattern = {":": _BYTES, "@": _DATE, "%": _DISPLAY}.get(mark, _TOKEN)
        return Token(self._match(pattern)[0])


_BOOLEAN = re.compile(r"\?[01]")
