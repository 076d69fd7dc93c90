"""CSS selectors that can be decided at a start tag."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .tags import StartTag

_IDENTIFIER = r"-?[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff-]*"
_TOKEN = re.compile(
    rf"""(?P<name>{_IDENTIFIER}(?:\\:{_IDENTIFIER})?|\*)
    |\#(?P<id>[A-Za-z0-9_\u0080-\U0010ffff-]+)
    |\.(?P<class>{_IDENTIFIER})
    |\[\s*(?P<attribute>[A-Za-z_][A-Za-z0-9_:.-]*)\s*
        (?:(?P<operator>[~|^$*]?=)\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[A-Za-z0-9_\u0080-\U0010ffff-]+))
        \s*(?P<flag>[iIsS]?)\s*)?\]
    |(?P<not>:not\(\s*)""",
    re.VERBOSE,
)
_COMBINATOR = re.compile(r"\s*(>)\s*|\s+")
_SPACE = re.compile(r"[\t\n\f\r ]+")
_CASELESS = frozenset(
    ("type", "method", "rel", "http-equiv", "media", "lang", "charset", "dir", "shape", "enctype")
)

Test = Callable[[StartTag], bool]


@dataclass(frozen=True, slots=True)
class Compound:
    """Conditions on one element: its name (b"" for any) and `tests`."""

    name: bytes
    tests: tuple[Test, ...]

    def matches(self, tag: StartTag) -> bool:
        """Return True if a tag of the right name passes the tests."""
        return all(test(tag) for test in self.tests)


@dataclass(frozen=True, slots=True)
class Selector:
    """Compounds from the outermost element to the innermost; `children` says for each but the first whether the one
    before it is the parent, not any ancestor."""

    compounds: tuple[Compound, ...]
    children: tuple[bool, ...]


class SelectorError(ValueError):
    """A selector that is malformed, or that cannot be decided while a document streams."""


def parse_selectors(text: str) -> list[Selector]:
    """Return the selectors of a list such as `a[href], #main > p.note`. Raises SelectorError."""
    selectors, position = [], 0
    while True:
        selector, position = _selector(text, _skip(text, position))
        selectors.append(selector)
        position = _skip(text, position)
        if position == len(text):
            return selectors
        if text[position] != ",":
            raise _unknown(text, position)
        position += 1


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _selector(text: str, position: int) -> tuple[Selector, int]:
    compounds: list[Compound] = []
    children: list[bool] = []
    while True:
        compound, position = _compound(text, position)
        compounds.append(compound)
        rest = _skip(text, position)
        if rest == len(text) or text[rest] == ",":
            return Selector(tuple(compounds), tuple(children)), rest
        found = _COMBINATOR.match(text, position)
        if found is None or text[found.end() : found.end() + 1] in ("", "+", "~", ">", ","):
            raise _unknown(text, rest if found is None else found.end())
        children.append(found[1] is not None)
        position = found.end()


def _compound(text: str, position: int) -> tuple[Compound, int]:
    start, name = position, b""
    tests: list[Test] = []
    while found := _TOKEN.match(text, position):
        if found["name"]:
            if position != start:
                raise _unknown(text, position)
            name = b"" if found["name"] == "*" else found["name"].replace("\\", "").lower().encode()
            position = found.end()
        elif found["not"]:
            inner, position = _compound(text, found.end())
            position = _skip(text, position)
            if text[position : position + 1] != ")":
                raise _unknown(text, position)
            position += 1
            tests.append(_negation(inner))
        else:
            tests.append(_test(found))
            position = found.end()
    if position == start:
        raise _unknown(text, position)
    return Compound(name, tuple(tests)), position


def _unknown(text: str, position: int) -> SelectorError:
    allowed = (
        'tag, #id, .class, [attr], [attr="value"] (also ^= $= *= ~= |=), :not(...), descendants, ">" and ","'
    )
    if position >= len(text):
        return SelectorError(f"the selector {text!r} ends too early; allowed: {allowed}")
    return SelectorError(f"{text[position:]!r} in the selector {text!r} is not known; allowed: {allowed}")


def _negation(compound: Compound) -> Test:
    def test(tag: StartTag) -> bool:
        return not (compound.name in (b"", tag.name) and compound.matches(tag))

    return test


def _utf8(value: str) -> str:
    """Return `value` as `StartTag.get` shows it in a document of UTF-8."""
    return value.encode().decode("ascii", "surrogateescape")


def _test(found: re.Match[str]) -> Test:
    if found["id"]:
        return _attribute_test("id", "=", _utf8(found["id"]), caseless=False)
    if found["class"]:
        return _attribute_test("class", "~=", _utf8(found["class"]), caseless=False)
    name, operator = found["attribute"].lower(), found["operator"]
    if operator is None:
        return lambda tag: tag.has(name.encode())
    value = next(each for each in (found["double"], found["single"], found["bare"]) if each is not None)
    flag = found["flag"].lower()
    return _attribute_test(name, operator, _utf8(value), flag == "i" or (name in _CASELESS and flag != "s"))


def _attribute_test(name: str, operator: str, value: str, caseless: bool) -> Test:
    key = name.encode()
    wanted = value.lower() if caseless else value
    compare = _COMPARISONS[operator]

    def test(tag: StartTag) -> bool:
        found = tag.get(key)
        return found is not None and compare(found.lower() if caseless else found, wanted)

    return test


_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda found, wanted: found == wanted,
    "~=": lambda found, wanted: bool(wanted) and wanted in _SPACE.split(found),
    "|=": lambda found, wanted: found == wanted or found.startswith(wanted + "-"),
    "^=": lambda found, wanted: bool(wanted) and found.startswith(wanted),
    "$=": lambda found, wanted: bool(wanted) and found.endswith(wanted),
    "*=": lambda found, wanted: bool(wanted) and wanted in found,
}
