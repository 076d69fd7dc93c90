"""What every transformation says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..expression import Expression


@dataclass(frozen=True, slots=True)
class Transformation:
    """A function of a value that takes time in proportion to its length.

    A value in which `trigger` does not match comes back unchanged, but for letter case if `cases` is set. The trigger
    is for one value at a time and in the syntax of `re` too; without one any value may change. `name` is written as in
    ModSecurity's manual.
    """

    name: str
    apply: Callable[[bytes], bytes]
    trigger: Expression | None = None
    cases: bool = False
