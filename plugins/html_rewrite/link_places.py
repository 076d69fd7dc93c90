"""Where links stand in HTML: attributes, `srcset`, refresh, CSS."""

from __future__ import annotations

import re
from collections.abc import Callable

from .names import words
from .tags import StartTag
from .urls import Links

Change = Callable[[str], str]

_PLACES: dict[bytes, tuple[bytes, ...]] = {
    b"a": (b"href", b"xlink:href"),
    b"area": (b"href",),
    b"link": (b"href",),
    b"base": (b"href",),
    b"img": (b"src", b"longdesc"),
    b"script": (b"src", b"href", b"xlink:href"),
    b"iframe": (b"src",),
    b"frame": (b"src",),
    b"embed": (b"src",),
    b"source": (b"src",),
    b"track": (b"src",),
    b"audio": (b"src",),
    b"video": (b"src", b"poster"),
    b"input": (b"src", b"formaction"),
    b"button": (b"formaction",),
    b"form": (b"action",),
    b"object": (b"data",),
    b"html": (b"manifest",),
    b"blockquote": (b"cite",),
    b"q": (b"cite",),
    b"ins": (b"cite",),
    b"del": (b"cite",),
    b"body": (b"background",),
    b"table": (b"background",),
    b"td": (b"background",),
    b"th": (b"background",),
    b"image": (b"href", b"xlink:href"),
    b"use": (b"href", b"xlink:href"),
}
_SETS = {b"img": b"srcset", b"source": b"srcset", b"link": b"imagesrcset"}
_REFRESH = re.compile(r"""([\s\d.]*(?:[;,\s]\s*)?(?:url\s*=\s*)?)(["']?)(.*)""", re.IGNORECASE | re.DOTALL)
_SPACES = "\t\n\f\r "
_CSS = re.compile(
    r"""/\*.*?(?:\*/|\Z)
    |(?P<url>url\(\s*)(?:"(?P<double>[^"\\\n]*)"|'(?P<single>[^'\\\n]*)'|(?P<bare>[^\s"'()\\]+))\s*\)
    |(?P<import>@import\s+)(?:"(?P<import_double>[^"\\\n]*)"|'(?P<import_single>[^'\\\n]*)')
    |"[^"\\\n]*"|'[^'\\\n]*'""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CSS_LINKS = ("double", "single", "bare", "import_double", "import_single")


class LinkEdits:
    """Rewrites the links in start tags."""

    names = frozenset(_PLACES) | frozenset(_SETS) | words("meta")

    def __init__(self, links: Links) -> None:
        self._links = links

    def start(self, tag: StartTag) -> None:
        """Rewrite the links of a start tag."""
        changed = self._links.changed
        for place in _PLACES.get(tag.name, ()):
            _change(tag, place, changed)
        if tag.name in _SETS:
            _change(tag, _SETS[tag.name], self._changed_set)
        elif tag.name == b"meta":
            if (tag.get(b"http-equiv") or "").strip(_SPACES).lower() == "refresh":
                _change(tag, b"content", self._changed_refresh)
        elif tag.name == b"base":
            href = tag.get(b"href")
            if href is not None:
                self._links.set_base(href)

    def style(self, css: str) -> str:
        """Rewrite the links in CSS."""
        return changed_css(css, self._links.changed)

    def style_sheet(self, css: bytes) -> bytes:
        """Rewrite the links in the content of a `style` element, whose encoding agrees with ASCII."""
        text = css.decode("ascii", "surrogateescape")
        changed = self.style(text)
        return css if changed == text else changed.encode("ascii", "surrogateescape")

    def _changed_set(self, value: str) -> str:
        return changed_set(value, self._links.changed)

    def _changed_refresh(self, value: str) -> str:
        found = _REFRESH.fullmatch(value)
        if found is None or not found[1].strip(_SPACES) or not found[3]:
            return value
        beginning, quote, rest = found.groups()
        link, end, after = rest.partition(quote) if quote else (rest, "", "")
        return f"{beginning}{quote}{self._links.changed(link)}{end}{after}"


def _change(tag: StartTag, name: bytes, change: Change) -> None:
    value = tag.get(name)
    if value:
        changed = change(value)
        if changed != value:
            tag.set(name, changed)


def changed_set(value: str, change: Change) -> str:
    """Return a value of `srcset` with its links changed: links and descriptors, separated by commas."""
    parts: list[str] = []
    position, size = 0, len(value)
    while position < size:
        start = position
        while position < size and value[position] in _SPACES + ",":
            position += 1
        parts.append(value[start:position])
        start = position
        while position < size and value[position] not in _SPACES:
            position += 1
        link = value[start:position].rstrip(",")
        if link:
            parts.append(change(link))
        parts.append(value[start + len(link) : position])
        if len(link) == position - start:
            start = position
            position = _end_of_descriptors(value, position)
            parts.append(value[start:position])
    return "".join(parts)


def _end_of_descriptors(value: str, position: int) -> int:
    depth = 0
    while position < len(value):
        character = value[position]
        if character == "(":
            depth += 1
        elif character == ")":
            depth = max(0, depth - 1)
        elif character == "," and not depth:
            break
        position += 1
    return position


def changed_css(css: str, change: Change) -> str:
    """Return CSS with the links in `url(...)` and `@import` changed. Links with escapes stay."""

    def changed(found: re.Match[str]) -> str:
        group = next((name for name in _CSS_LINKS if found[name]), None)
        if group is None:
            return found[0]
        link = found[group]
        new = change(link)
        if new == link or any(character in "\"'()\\\n<" for character in new):
            return found[0]
        start = found.start(group) - found.start()
        return found[0][:start] + new + found[0][start + len(link) :]

    return _CSS.sub(changed, css)
