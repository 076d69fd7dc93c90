"""Messages about names that do not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Return `unknown KIND "name"`, with the known name that resembles it most, if one does."""
    names = {item.lower(): item for item in known}
    close = get_close_matches(name.lower(), names, n=1)
    hint = f'; did you mean "{names[close[0]]}"?' if close else ""
    return f'unknown {kind} "{name}"{hint}'
