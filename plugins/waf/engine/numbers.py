"""Numbers in values, read as C's `atoi` reads them."""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = re.compile(rb"\s*([+-]?\d{1,18})")


def number_of(value: bytes) -> int:
    """Return the number that `value` begins with, 0 without one."""
    if value.isdigit() and len(value) < 19:
        return int(value)
    found = _NUMBER.match(value)
    return int(found.group(1)) if found else 0
