"""Claims as request fields, and what they must be. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from adc.plugin import field_value

_LONGEST = 4096
_separating = re.compile(r"[,%\x00-\x1f\x7f]")
"""Characters that are escaped in elements of lists."""


def find(claims: Mapping[str, Any], path: str) -> Any:
    """Return a claim by its name, or by a path such as `realm_access.roles`; None if there is none."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def as_field(value: Any) -> bytes | None:
    """Return a claim as the value of a field; None for one that no field may have. Elements of a list are separated by
    commas; a comma within one is escaped, so that it cannot become two."""
    if value is None:
        return None
    text = ",".join(map(_element, value)) if isinstance(value, list) else _text(value)
    return field_value(text) if len(text) <= _LONGEST else None


def _element(value: Any) -> str:
    return _separating.sub(lambda found: f"%{ord(found[0]):02X}", _text(value))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def matches(found: Any, wanted: Any) -> bool:
    """True if a claim has the value that is wanted: one of them, if several are, or one of its own, if it is a list."""
    options = wanted if isinstance(wanted, list) else [wanted]
    values = found if isinstance(found, list) else [found]
    return any(_equal(value, option) for value in values for option in options)


def _equal(value: Any, option: Any) -> bool:
    return type(value) is type(option) and value == option


def has_scopes(claims: Mapping[str, Any], wanted: Iterable[str]) -> bool:
    """True if the token has all scopes, in `scope` (RFC 8693) or `scp`."""
    found = claims.get("scope", claims.get("scp", ""))
    scopes = found.split() if isinstance(found, str) else found
    return isinstance(scopes, list) and all(scope in scopes for scope in wanted)
