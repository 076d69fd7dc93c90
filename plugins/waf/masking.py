"""Masks what logs must not show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote_plus

MASK = "***"
_ESCAPED_NAME = re.compile(r"([^&;?\s=]{1,200})=[^&;\s]*")


class Masking:
    """Masks values by the names of their arguments, headers and cookies; a name is sensitive if it contains one of
    `names`, whatever its case."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(name.lower() for name in names if name)
        words = "|".join(map(re.escape, self._names)) or r"(?!)"
        word = rf"[\w.\-\[\]%]{{0,60}}(?:{words})[\w.\-\[\]%]{{0,60}}"
        self._inside = re.compile(
            rf"(?P<name>{word}\s*=\s*)[^&;\s]*"
            rf'|(?P<quoted>["\']?{word}["\']\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[^,}}\s]+)'
            rf"|(?P<line>(?m:^){word}\s*:[ \t]*)[^\r\n]*"
            rf"|(?P<part>\bname=[\"']?{word}[\"'\s;][^\n]{{0,500}}\n(?:[^\r\n]{{1,500}}\r?\n){{0,20}}\r?\n)(?:(?!\r?\n--).)*"
            rf"|(?P<element><(?:[\w.-]{{1,60}}:)?{word}(?:\s[^<>]{{0,500}})?>)[^<]*",
            re.IGNORECASE | re.DOTALL,
        )

    def is_sensitive(self, variable: str, key: str) -> bool:
        """True if the value of `variable`:`key` must not be shown. The text of an XML document has no names."""
        if variable == "XML":
            return bool(self._names)
        lower = key.lower()
        if any(name in lower for name in self._names):
            return not variable.endswith("_NAMES")
        return variable == "REQUEST_COOKIES" and "cookie" in self._names

    def target(self, target: str) -> str:
        """Return a request target with the values of sensitive arguments masked."""
        path, mark, query = target.partition("?")
        return self.text(path) + mark + "&".join(self._argument(each) for each in query.split("&"))

    def _argument(self, argument: str) -> str:
        name, equals, value = argument.partition("=")
        plain = unquote_plus(value)
        if equals and (self.is_sensitive("ARGS", unquote_plus(name)) or self.text(plain) != plain):
            return f"{name}={MASK}"
        return argument

    def text(self, text: str) -> str:
        """Return `text` with the values of sensitive names in it masked: in a query, a form, JSON and header lines."""
        return self._inside.sub(_masked, _ESCAPED_NAME.sub(self._escaped, text) if "%" in text else text)

    def _escaped(self, found: re.Match[str]) -> str:
        return f"{found[1]}={MASK}" if self.is_sensitive("ARGS", unquote_plus(found[1])) else found[0]


def _masked(found: re.Match[str]) -> str:
    return next(group for group in found.groups() if group is not None) + MASK
