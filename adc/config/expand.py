"""Environment variables in values."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}|\{)")


def expand(text: str, env: Mapping[str, str]) -> str:
    """Return text with `${NAME}` and `${NAME:-default}` replaced; the default also applies to an empty variable.

    `$$` is a dollar sign; a lone `$` stays. Raises `ValueError` for an unset variable and for an invalid reference.
    """
    if "$" not in text:
        return text

    def fill(found: re.Match[str]) -> str:
        if found[1]:
            return "$"
        name, default = found[2], found[3]
        if name is None:
            raise ValueError(
                "${ begins no reference; write ${NAME} or ${NAME:-default}, and $${ for the text itself"
            )
        value = env.get(name, "")
        if not value and default is not None:
            return default
        if name not in env:
            raise ValueError(f"environment variable {name} is not set; set it or write ${{{name}:-default}}")
        return value

    return _REFERENCE.sub(fill, text)
