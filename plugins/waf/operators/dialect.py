"""Regular expressions of PCRE in the words that RE2 and hyperscan share."""

from __future__ import annotations

import re

_SPACE = rb"\x09-\x0d\x20"
_NOT_SPACE = rb"\x00-\x08\x0e-\x1f\x21-\xff"
_VERTICAL = rb"\x0a-\x0d\x85"
_NOT_VERTICAL = rb"\x00-\x09\x0e-\x84\x86-\xff"
_HORIZONTAL = rb"\x09\x20\xa0"
_NOT_HORIZONTAL = rb"\x00-\x08\x0a-\x1f\x21-\x9f\xa1-\xff"
_MEMBERS = {
    b"s": _SPACE,
    b"S": _NOT_SPACE,
    b"v": _VERTICAL,
    b"V": _NOT_VERTICAL,
    b"h": _HORIZONTAL,
    b"H": _NOT_HORIZONTAL,
}
_OUTSIDE = {letter: b"[%s]" % members for letter, members in _MEMBERS.items()} | {
    b"R": rb"(?:\x0d\x0a|[\x0a-\x0d\x85])",
    b"N": rb"[^\x0a]",
    b"e": rb"\x1b",
    b"/": b"/",
}
_INSIDE = _MEMBERS | {b"b": rb"\x08", b"e": rb"\x1b", b"/": b"/"}
_LOOSE = {b"A": b"^", b"z": b"$", b"Z": b"$", b"G": b""}

_TOKEN = re.compile(
    rb"\\Q(?P<quoted>.*?)(?:\\E|\Z)"
    rb"|\\x\{(?P<hex>[0-9a-fA-F]{1,2})\}"
    rb"|\\(?P<escape>.)"
    rb"|\[(?P<negated>\^?)(?P<first>\]?)"
    rb"|(?P<possessive>(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\+)"
    rb"|(?P<atomic>\(\?>)"
    rb"|[^\\\[*+?{(]+"
    rb"|[^\\\[]",
    re.DOTALL,
)
_MEMBER = re.compile(
    rb"(?P<end>\])|\[:\^?[a-z]+:\]|\\x\{(?P<hex>[0-9a-fA-F]{1,2})\}|\\(?P<escape>.)|(?P<open>\[)|[^\]\\\[]+",
    re.DOTALL,
)
_EXTENDED = re.compile(rb"\(\?[a-wyz-]*x|\(\?#|\(\*")
_SPECIAL = re.compile(rb"[^0-9A-Za-z_]")


class UnknownDialect(ValueError):
    """An expression in a form that is not translated, such as one with comments."""


def quote(text: bytes) -> bytes:
    """Return an expression that matches `text`, in any dialect."""
    return _SPECIAL.sub(lambda found: b"\\x%02x" % found[0][0], text)


def translate(pattern: bytes, loose: bool = False) -> bytes:
    r"""Return an expression of PCRE for RE2 and hyperscan.

    White space (`\s`) includes the vertical tab. `loose` gives an expression that matches wherever `pattern` does, and
    maybe elsewhere: at the border of any line, and without the promise of possessive and atomic groups.
    """
    if _EXTENDED.search(pattern):
        raise UnknownDialect("an expression with comments or verbs")
    out: list[bytes] = []
    position = 0
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None:
            raise UnknownDialect("a backslash at the end")
        position = token.end()
        if token["negated"] is not None:
            members, position = _translate_class(pattern, position)
            out.append(b"[%s%s%s]" % (token["negated"], rb"\]" if token["first"] else b"", members))
        else:
            out.append(_translate_token(token, loose))
    return b"".join(out)


def _translate_token(token: re.Match[bytes], loose: bool) -> bytes:
    if token["quoted"] is not None:
        return quote(token["quoted"])
    if token["hex"] is not None:
        return b"\\x%02x" % int(token["hex"], 16)
    if token["escape"] is not None:
        if loose and token["escape"] in _LOOSE:
            return _LOOSE[token["escape"]]
        return _OUTSIDE.get(token["escape"], token[0])
    if loose and token["possessive"] is not None:
        return token["possessive"][:-1]
    if loose and token["atomic"] is not None:
        return b"(?:"
    return token[0]


def _translate_class(pattern: bytes, position: int) -> tuple[bytes, int]:
    """Return the members of the class that begins at `position`, and where it ends."""
    out: list[bytes] = []
    while True:
        token = _MEMBER.match(pattern, position)
        if token is None:
            raise UnknownDialect("a class without an end")
        position = token.end()
        if token["end"] is not None:
            return b"".join(out), position
        if token["hex"] is not None:
            out.append(b"\\x%02x" % int(token["hex"], 16))
        elif token["escape"] is not None:
            out.append(_INSIDE.get(token["escape"], token[0]))
        else:
            out.append(rb"\[" if token["open"] else token[0])


_BRACED_HEX = re.compile(rb"(?<!\\)((?:\\\\)*)\\x\{([0-9a-fA-F]{1,2})\}")


def without_braces(pattern: bytes) -> bytes:
    r"""Return an expression with `\x{ff}` as `\xff`."""
    return _BRACED_HEX.sub(lambda found: b"%s\\x%02x" % (found[1], int(found[2], 16)), pattern)
