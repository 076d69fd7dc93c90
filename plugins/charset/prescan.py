"""Where the beginning of a document declares its charset: HTML (the prescan of the WHATWG), XML, CSS. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Kind = Literal["html", "xml", "css", "text"]


class Declaration(NamedTuple):
    """A label, and where it stands."""

    label: bytes
    start: int
    end: int


_WHITE = rb"\t\n\f\r "
_markup = re.compile(
    rb"<(?:(!--)|(meta)(?=[%b/])|/?[A-Za-z][^%b>]*|([!/?]))" % (_WHITE, _WHITE), re.IGNORECASE
)
_attribute = re.compile(
    rb"[%b/]*([^%b/>][^%b/>=]*)[%b]*(?:=[%b]*(?:\"([^\"]*)(?:\"|\Z)|'([^']*)(?:'|\Z)|([^%b>\"'][^%b>]*)?))?"
    % ((_WHITE,) * 7)
)
_in_content = re.compile(
    rb"charset[%b]*=[%b]*(?:\"([^\"]*)\"|'([^']*)'|([^%b;\"']+))" % ((_WHITE,) * 3), re.IGNORECASE
)
_xml = re.compile(rb"<\?xml[%b][^>]*?[%b]encoding[%b]*=[%b]*(?:\"([^\"<>]*)\"|'([^'<>]*)')" % ((_WHITE,) * 4))
_css = re.compile(rb"@charset \"([^\"]*)\";")
_head_end = re.compile(rb"</head|<body", re.IGNORECASE)

MOST = 8192
"""Bytes of a document in which declarations are looked for. The standard says 1024, browsers read to the end of the
head."""
_MOST_OTHER = 1024


def window(kind: Kind, beginning: bytes, start: int = 0) -> int:
    """Return how many bytes of `beginning` to search for declarations, 0 if that is not known yet. Before `start`
    nothing was found."""
    if kind == "html":
        found = _head_end.search(beginning, start, MOST)
        return found.end() if found else _full(beginning, MOST)
    if beginning.startswith((b"\xfe\xff", b"\xff\xfe")):
        return _full(beginning, _MOST_OTHER)
    mark = _LONGEST_MARK if beginning.startswith(b"\xef\xbb\xbf") else 0
    opening, closing = _DECLARING[kind]
    seen = beginning[mark : mark + len(opening)]
    if len(beginning) < _LONGEST_MARK or (len(seen) < len(opening) and opening.startswith(seen)):
        return 0
    if not opening or seen != opening:
        return _LONGEST_MARK
    at = beginning.find(closing, mark, _MOST_OTHER)
    return at + len(closing) if at >= 0 else _full(beginning, _MOST_OTHER)


_DECLARING = {"xml": (b"<?xml", b"?>"), "css": (b'@charset "', b";"), "text": (b"", b"")}
_LONGEST_MARK = 3


def _full(beginning: bytes, most: int) -> int:
    return most if len(beginning) >= most else 0


def declarations(kind: Kind, beginning: bytes) -> list[Declaration]:
    """Return the declarations in the order in which they count."""
    if kind == "css":
        return _matched(_css.match(beginning))
    if kind == "text":
        return []
    found = _matched(_xml.match(beginning))
    if kind == "html":
        found += _metas(beginning)
    return found


def _matched(found: re.Match[bytes] | None) -> list[Declaration]:
    """Return the only group of `found` that matched."""
    if found is None:
        return []
    group = found.lastindex or 1
    return [Declaration(found[group], *found.span(group))]


def _metas(data: bytes) -> Iterator[Declaration]:
    at = 0
    while (found := _markup.search(data, at)) is not None:
        at = found.end()
        comment, meta, other = found.groups()
        if comment:
            at = _after(data, b"-->", at - 2)
        elif other:
            at = _after(data, b">", at)
        else:
            declared, at = _tag(data, at)
            if meta and declared is not None:
                yield declared


def _after(data: bytes, text: bytes, at: int) -> int:
    found = data.find(text, at)
    return len(data) if found < 0 else found + len(text)


def _tag(data: bytes, at: int) -> tuple[Declaration | None, int]:
    """Return what the attributes from `at` on declare, if they are those of a `meta`, and where they end."""
    seen: set[bytes] = set()
    pragma = False
    direct: Declaration | None = None
    in_content: Declaration | None = None
    while (found := _attribute.match(data, at)) is not None:
        at = found.end()
        name = found[1].lower()
        group = next((group for group in (2, 3, 4) if found[group] is not None), 0)
        if name in seen or not group:
            continue
        seen.add(name)
        if name == b"http-equiv":
            pragma = found[group].lower() == b"content-type"
        elif name == b"charset":
            direct = Declaration(found[group], *found.span(group))
        elif name == b"content" and in_content is None:
            in_content = next(iter(_matched(_in_content.search(data, *found.span(group)))), None)
    return direct or (in_content if pragma else None), at


def rewritten(kind: Kind, beginning: bytes, label: bytes) -> bytes:
    """Return `beginning` with `label` in every declaration."""
    parts, at = [], 0
    for declared in sorted(declarations(kind, beginning), key=lambda each: each.start):
        parts += [beginning[at : declared.start], label]
        at = declared.end
    return b"".join([*parts, beginning[at:]])
