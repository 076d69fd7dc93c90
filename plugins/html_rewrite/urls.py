"""Links moved from one prefix to another, or made absolute."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

_SPACES = "\t\n\f\r "
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HIERARCHICAL = re.compile(r"(?:https?|wss?|ftp):", re.IGNORECASE)
_DROPPED = str.maketrans("", "", "\t\n\r")
_DEFAULT_PORTS = {"http": ":80", "https": ":443", "ws": ":80", "wss": ":443"}
_ORIGIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:)?//([^/?#\\]*)")
_MOST = 8192
"""Longer links stay as they are."""


@dataclass(frozen=True, slots=True)
class Move:
    """Links that begin with `origin` and `path` get `to` in place of both.

    An origin is `http://host` or `//host`, or "" for links without a host."""

    origin: str
    path: str
    to: str


def read_moves(moves: Mapping[str, str]) -> list[Move]:
    """Return the moves of a configuration, the longest prefix first. Raises ValueError."""
    read = []
    for prefix, to in moves.items():
        found = _ORIGIN.match(prefix)
        if found is None and not prefix.startswith("/"):
            raise ValueError(f"{prefix!r} is neither a URL such as http://intranet/ nor a path such as /app/")
        if any(character in _SPACES + "\"'<>\\?#" for character in prefix + to):
            raise ValueError(f"{prefix!r} to {to!r}: spaces, quotes, <, >, \\, ? and # are not allowed")
        path = prefix[found.end() :] if found else prefix
        read.append(Move(_origin(prefix) if found else "", path or "/", to if path else to.rstrip("/") + "/"))
    return sorted(read, key=lambda move: len(move.origin + move.path), reverse=True)


def _origin(url: str) -> str:
    """Return scheme and host of `url` in the form that is compared; `//host` without a scheme."""
    found = _ORIGIN.match(url)
    if found is None:
        return ""
    scheme = (found[1] or "").lower()
    return f"{scheme}//{found[2].lower().removesuffix(_DEFAULT_PORTS.get(scheme[:-1], ':'))}"


class Links:
    """Rewrites the links of one document, whose URL is `document`."""

    def __init__(self, moves: list[Move], document: str, absolute: bool) -> None:
        self._moves = moves
        self._document = document
        self._scheme = document.partition("//")[0]
        self._host = _origin(document)
        self._absolute = absolute
        self.base = document

    def set_base(self, href: str) -> None:
        """Resolve relative links from now on by `href` of a `base` element; the first one counts."""
        if self.base is self._document:
            self.base = _joined(self._document, href.strip(_SPACES)) or self._document

    def changed(self, link: str) -> str:
        """Return what a link becomes; it is the same object if nothing changes."""
        url = link.strip(_SPACES).translate(_DROPPED)
        if not url or url[0] == "#" or len(url) > _MOST or "\\" in url:
            return link
        if _SCHEME.match(url) and not _HIERARCHICAL.match(url):
            return link
        moved = self._moved(url)
        if moved is not None:
            url = moved
        if self._absolute and not _HIERARCHICAL.match(url):
            absolute = _joined(self.base, url)
            if absolute is not None:
                return absolute
        return link if moved is None else moved

    def _moved(self, url: str) -> str | None:
        found = _ORIGIN.match(url)
        if found is None:
            if url[0] != "/":
                return None
            origin, path = self._host, url
        else:
            origin = _origin(url if found[1] else self._scheme + url)
            path = url[found.end() :]
            if path[:1] != "/":
                path = "/" + path
        origins = {origin, origin.partition(":")[2]} | ({""} if found is None else set())
        for move in self._moves:
            if move.origin in origins and _begins(path, move.path):
                return move.to + path[len(move.path) :]
        return None


def _begins(path: str, prefix: str) -> bool:
    """Return True if `prefix` is a prefix of `path` by whole segments."""
    if not path.startswith(prefix):
        return False
    return prefix.endswith("/") or path[len(prefix) : len(prefix) + 1] in ("", "/", "?", "#")


def _joined(base: str, url: str) -> str | None:
    try:
        joined = urljoin(base, url)
        urlsplit(joined)
    except ValueError:
        return None
    return joined
