"""Paths: repeated slashes, self-references and back-references."""

from __future__ import annotations

import re

from ..expression import Expression
from .model import Transformation

_PART = re.compile(rb"/+|[^/]+")
_WINDOWS_PART = re.compile(rb"[/\\]+|[^/\\]+")


class _Normalised:
    """The path so far; `at_root` is set once a relative path went above its start."""

    __slots__ = ("at_root", "out", "relative")

    def __init__(self, relative: bool) -> None:
        self.relative = relative
        self.out = bytearray()
        self.at_root = False

    def slash(self, slash: bytes) -> None:
        if self.out or not self.relative:
            self.out += slash

    def segment(self, part: bytes, last: bool) -> bool:
        """Add a segment; one that ends in two dots goes back, and a dot alone is left out.

        Return False if the segment was copied.
        """
        out = self.out
        if not part.endswith(b"."):
            out += part
            if len(out) > 1:
                self.at_root = False
            return False
        out += part[:-1]
        if out.endswith(b"."):
            return self._back(last)
        if out.endswith(b"/"):
            if not last:
                del out[-1]
            return True
        if out:
            out += b"."
        return not out

    def _back(self, last: bool) -> bool:
        out = self.out
        if self.relative and (self.at_root or len(out) <= 2):
            self.at_root = True
            out += b"."
            return False
        kept = out.rfind(b"/", 1, max(len(out) - 2, 0))
        if kept <= 0:
            self.at_root = True
            kept = 1 if last and not self.relative else 0
        del out[kept:]
        return True


def _normalize(value: bytes, parts: re.Pattern[bytes], slashes: bytes) -> bytes:
    path = _Normalised(relative=value[0] not in slashes)
    resolved = False
    for part in parts.finditer(value):
        text = part[0]
        if text[0] in slashes:
            path.slash(text[-1:] if len(text) > (1 if resolved else 2) else b"/")
        else:
            resolved = path.segment(text, part.end() == len(value))
    out = path.out
    if value[-1] not in slashes and out.endswith(b"/"):
        del out[-1]
    return bytes(out)


def _is_normal(path: bytes) -> bool:
    return b"//" not in path and b"./" not in path and not path.endswith(b".")


def normalize_path(value: bytes) -> bytes:
    """Resolve `//`, `/./` and `/../`."""
    if _is_normal(value):
        return value
    return _normalize(value, _PART, b"/")


def normalize_path_win(value: bytes) -> bytes:
    r"""Resolve a path in which a backslash is a slash too.

    Of many slashes in a row the last remains; from the third on it keeps its direction, as in ModSecurity.
    """
    path = value.replace(b"\\", b"/")
    if _is_normal(path):
        return path
    return _normalize(value, _WINDOWS_PART, b"/\\")


PATHS = (
    Transformation("normalizePath", normalize_path, Expression(rb"//|^\./|/\.(?:/|$)|^\.$|\.\.(?:/|$)")),
    Transformation(
        "normalizePathWin", normalize_path_win, Expression(rb"\\|//|^\./|/\.(?:/|$)|^\.$|\.\.(?:/|$)")
    ),
)
