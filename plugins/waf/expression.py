"""An expression that is searched for with many others at once, before anything is evaluated one by one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression in hyperscan's syntax, for values that are scanned together, joined by newlines.

    Compile it with `HS_FLAG_DOTALL`, `HS_FLAG_MULTILINE` and `HS_FLAG_PREFILTER`, and with `HS_FLAG_CASELESS` if
    `caseless` is set. With `HS_FLAG_SINGLEMATCH` thousands take twenty times as long to compile. Many rules share
    expressions, so compile each once. It never matches an empty string.
    """

    pattern: bytes
    caseless: bool = False
