"""Character references: `&amp;`, `&#65;`, `&#x41;`."""

from __future__ import annotations

import re
from html.entities import html5

from .errors import ErrorList

_REFERENCE = re.compile(r"&(?:#([xX]?)([0-9a-fA-F]*+)|([a-zA-Z0-9]++))(;?)")
_DECIMAL = re.compile(r"[0-9]*+")
_LONGEST = max(map(len, html5))


def check_references(text: str, start: int, end: int, errors: ErrorList, in_attribute: bool = False) -> None:
    """Report the errors of the character references between `start` and `end`."""
    position = text.find("&", start, end)
    while position >= 0:
        found = _REFERENCE.match(text, position, end)
        if found is None:
            position += 1
        elif found[3] is None:
            position = _numeric(text, found, end, errors)
        else:
            position = _named(text, found, end, errors, in_attribute)
        position = text.find("&", position, end)


def _numeric(text: str, found: re.Match[str], end: int, errors: ErrorList) -> int:
    digits, base, after = found[2], 16, found.end(2)
    if not found[1]:
        digits, base = _DECIMAL.match(digits)[0], 10  # type: ignore[index]
        after = found.start(2) + len(digits)
    if not digits:
        errors.add(after, "absence-of-digits-in-numeric-character-reference")
        return after
    if after < end and text[after] == ";":
        after += 1
    else:
        errors.add(after, "missing-semicolon-after-character-reference")
    significant = digits.lstrip("0")
    code = int(significant or "0", base) if len(significant) < 8 else 0x110000
    problem = _problem(code)
    if problem:
        errors.add(after, problem)
    return after


def _problem(code: int) -> str:
    if code == 0:
        return "null-character-reference"
    if code > 0x10FFFF:
        return "character-reference-outside-unicode-range"
    if 0xD800 <= code <= 0xDFFF:
        return "surrogate-character-reference"
    if 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE:
        return "noncharacter-character-reference"
    if code == 0x0D or (code < 0x20 and code not in (0x09, 0x0A, 0x0C)) or 0x7F <= code <= 0x9F:
        return "control-character-reference"
    return ""


def _named(text: str, found: re.Match[str], end: int, errors: ErrorList, in_attribute: bool) -> int:
    name, begin, after = found[3], found.start(3), found.end(3)
    if found[4] and name + ";" in html5:
        return after + 1
    for length in range(min(len(name), _LONGEST), 1, -1):
        if name[:length] in html5:
            following = text[begin + length] if begin + length < end else ""
            if not (in_attribute and (following == "=" or (following.isalnum() and following.isascii()))):
                errors.add(begin + length, "missing-semicolon-after-character-reference")
                return begin + length
            return after
    if found[4]:
        errors.add(after, "unknown-named-character-reference")
    return after
