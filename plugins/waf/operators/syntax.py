"""The structure of a regular expression, as far as it tells which texts a match must contain."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ALL = frozenset(range(256))
_DIGITS = frozenset(b"0123456789")
_WORD = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_SPACE = frozenset(b" \t\n\v\f\r")
_CLASSES = {
    b"d": _DIGITS,
    b"D": _ALL - _DIGITS,
    b"w": _WORD,
    b"W": _ALL - _WORD,
    b"s": _SPACE,
    b"S": _ALL - _SPACE,
}
_CONTROLS = {b"n": 0x0A, b"r": 0x0D, b"t": 0x09, b"f": 0x0C, b"a": 0x07, b"e": 0x1B, b"v": 0x0B}
_NAMED = re.compile(rb"\[:\^?[a-z]+:\]")
_REPEAT = re.compile(rb"(?:([*+?])|\{([0-9]+)(,?)([0-9]*)\})[?+]?")
_GROUP = re.compile(rb"\(\?(?:(:|>|P?<[A-Za-z_]\w*>)|(=|!|<=|<!)|([a-zA-Z]*)(-[a-zA-Z]*)?([:)]))")
_HEX = re.compile(rb"x([0-9a-fA-F]{0,2})")


@dataclass(frozen=True, slots=True)
class Characters:
    """One byte out of some."""

    members: frozenset[int]


@dataclass(frozen=True, slots=True)
class Border:
    """Something that takes no bytes: `\\b`, `\\B`, or one without a text, which means that it may be anywhere."""

    text: bytes = b""


@dataclass(frozen=True, slots=True)
class Repeat:
    """An item `least` to `most` times; None for no end."""

    item: Node
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """One item behind the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the branches."""

    branches: tuple[Node, ...]


Node = Characters | Border | Repeat | Sequence | Choice


class UnknownSyntax(ValueError):
    """An expression that is not understood."""


def parse(pattern: bytes) -> Node:
    """Return the structure of an expression in the dialect of RE2; raise `UnknownSyntax` if it has another."""
    parser = _Parser(pattern)
    node = parser.choice(caseless=False)
    if parser.position != len(pattern):
        raise UnknownSyntax("a closing parenthesis")
    return node


class _Parser:
    __slots__ = ("pattern", "position")

    def __init__(self, pattern: bytes) -> None:
        self.pattern = pattern
        self.position = 0

    def choice(self, caseless: bool) -> Node:
        branches: list[Node] = []
        items: list[Node] = []
        while (byte := self._peek()) not in (b"", b")"):
            if byte == b"|":
                self.position += 1
                branches.append(Sequence(tuple(items)))
                items = []
            elif byte == b"(":
                node, caseless = self._group(caseless)
                items.append(self._repeated(node))
            else:
                items.append(self._repeated(self._item(byte, caseless)))
        branches.append(Sequence(tuple(items)))
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _peek(self) -> bytes:
        return self.pattern[self.position : self.position + 1]

    def _group(self, caseless: bool) -> tuple[Node, bool]:
        """Return what a parenthesis opens, and whether letter case is ignored behind it."""
        special = _GROUP.match(self.pattern, self.position)
        if special is None:
            if self.pattern[self.position + 1 : self.position + 2] in (b"?", b"*"):
                raise UnknownSyntax("a special group")
            self.position += 1
            return self._closed(self.choice(caseless)), caseless
        self.position = special.end()
        if special[1]:
            return self._closed(self.choice(caseless)), caseless
        if special[2]:
            self._closed(self.choice(caseless))
            return Border(), caseless
        inner = (caseless or b"i" in special[3]) and b"i" not in (special[4] or b"")
        if special[5] == b")":
            return Border(), inner
        return self._closed(self.choice(inner)), caseless

    def _closed(self, node: Node) -> Node:
        if self._peek() != b")":
            raise UnknownSyntax("no closing parenthesis")
        self.position += 1
        return node

    def _repeated(self, node: Node) -> Node:
        while (found := _REPEAT.match(self.pattern, self.position)) is not None:
            self.position = found.end()
            if found[1]:
                least, most = {b"*": (0, None), b"+": (1, None), b"?": (0, 1)}[found[1]]
            else:
                least = int(found[2])
                most = least if not found[3] else int(found[4]) if found[4] else None
            node = Repeat(node, least, most)
        return node

    def _item(self, byte: bytes, caseless: bool) -> Node:
        self.position += 1
        if byte in b"^$":
            return Border()
        if byte == b".":
            return Characters(_ALL)
        if byte == b"[":
            return Characters(_folded(self._class(), caseless))
        if byte != b"\\":
            return Characters(_folded(frozenset(byte), caseless))
        if self._peek() in (b"b", b"B"):
            self.position += 1
            return Border(b"\\" + self.pattern[self.position - 1 : self.position])
        if self._peek() in tuple(b"%d" % digit for digit in range(1, 10)) or self._peek() in (b"k", b"g"):
            raise UnknownSyntax("a back-reference")
        return Characters(_folded(self._escape(), caseless))

    def _escape(self) -> frozenset[int]:
        """Return what the character behind a backslash stands for."""
        byte = self._peek()
        self.position += 1
        if byte in _CLASSES:
            return _CLASSES[byte]
        if byte in _CONTROLS:
            return frozenset((_CONTROLS[byte],))
        if byte == b"x":
            found = _HEX.match(self.pattern, self.position - 1)
            assert found is not None
            self.position = found.end()
            return frozenset((int(found[1] or b"0", 16),))
        if byte.isalnum() or not byte:
            raise UnknownSyntax("an escape")
        return frozenset(byte)

    def _class(self) -> frozenset[int]:
        negated = self._peek() == b"^"
        self.position += negated
        members: set[int] = set()
        first = True
        while first or self._peek() != b"]":
            first = False
            low = self._member()
            if self._peek() == b"-" and self.pattern[self.position + 1 : self.position + 2] not in (
                b"]",
                b"",
            ):
                self.position += 1
                high = self._member()
                if len(low) != 1 or len(high) != 1:
                    raise UnknownSyntax("a range")
                members.update(range(min(low), min(high) + 1))
            else:
                members |= low
        self.position += 1
        return _ALL - members if negated else frozenset(members)

    def _member(self) -> frozenset[int]:
        byte = self._peek()
        if not byte:
            raise UnknownSyntax("a class without an end")
        if _NAMED.match(self.pattern, self.position):
            raise UnknownSyntax("a named class")
        self.position += 1
        return self._escape() if byte == b"\\" else frozenset(byte)


def _folded(members: frozenset[int], caseless: bool) -> frozenset[int]:
    if not caseless:
        return members
    text = bytes(members)
    return members | frozenset(text.lower()) | frozenset(text.upper())
