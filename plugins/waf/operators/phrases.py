"""Many phrases at once, whatever their letter case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ..expression import Expression
from .dialect import quote
from .expressions import Searcher
from .model import Match, Operator


class Phrases(Operator):
    """One of the phrases is somewhere in the value."""

    def __init__(self, phrases: Iterable[bytes]) -> None:
        distinct = dict.fromkeys(phrase.lower() for phrase in phrases if phrase)
        quoted = [quote(phrase) for phrase in distinct]
        self.prefilter = (
            None
            if any(b"\n" in phrase for phrase in distinct)
            else tuple(Expression(phrase, caseless=True) for phrase in quoted)
        )
        self._searcher = Searcher(b"(?i:" + b"|".join(quoted) + b")") if quoted else None

    def match(self, value: bytes) -> Match | None:
        """Return the phrase as the value has it."""
        if self._searcher is None:
            return None
        spans = self._searcher.search(value)
        return None if spans is None else (value[spans[0][0] : spans[0][1]],)


_HEXADECIMAL = re.compile(rb"\|([0-9A-Fa-f \t]*)\||\\([:;\\|\"])")


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[2] is not None:
        return found[2]
    digits = found[1].replace(b" ", b"").replace(b"\t", b"")
    return bytes.fromhex(digits[: len(digits) // 2 * 2].decode())


def phrases_of_list(argument: bytes) -> list[bytes]:
    """Return the words of a list; `|41 42|` is hexadecimal."""
    return _HEXADECIMAL.sub(_unescaped, argument).split()


def phrases_of_file(content: bytes) -> list[bytes]:
    """Return the phrases of a file, one a line, without those that begin with `#`."""
    lines = (line.strip() for line in content.split(b"\n"))
    return [line for line in lines if line and not line.startswith(b"#")]


def phrases_of_files(argument: bytes, read: Callable[[str], bytes]) -> list[bytes]:
    """Return the phrases of the files that a list names."""
    return [phrase for name in argument.decode().split() for phrase in phrases_of_file(read(name))]
