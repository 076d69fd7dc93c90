"""An expression that is searched for with many others at once, before anything is evaluated one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PADDING: Final = b"\n" * 8
"""Bytes behind the last value of a scan."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression in hyperscan's syntax, for values that are scanned together, joined by newlines.

    Compile it with `HS_FLAG_DOTALL`, `HS_FLAG_MULTILINE` and `HS_FLAG_PREFILTER`, and with `HS_FLAG_CASELESS` if
    `caseless` is set. Many rules share expressions, so compile each once. It never matches an empty string.

    Hyperscan misses some matches that end in the last bytes of the data, and some at `^` and `$`: scan the values with
    `PADDING` behind the last, and write no anchors.
    """

    pattern: bytes
    caseless: bool = False
