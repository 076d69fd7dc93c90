"""The rule for names that a plugin gives to its tables, counters and gauges."""

from __future__ import annotations

import re
from collections.abc import Container

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def check_name(kind: str, name: str, known: Container[str]) -> None:
    """Raise ValueError unless `name` may be given to another `kind` beside the `known` ones."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{kind} {name!r} has no valid name; use lower-case letters, digits and _, a letter first, at most 63"
        )
    if name in known:
        raise ValueError(f"{kind} {name} is declared twice; give each {kind} a name of its own")
