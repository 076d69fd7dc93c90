"""When the running phase must have ended. A compiled module of its own: each call of a phase sets the time twice."""

from __future__ import annotations

from math import inf
from typing import Final


class PhaseEnd:
    """`until` is monotonic seconds; infinity while no plugin code runs."""

    __slots__ = ("until",)

    def __init__(self) -> None:
        self.until = inf


PHASE_END: Final = PhaseEnd()
"""That of the main thread, which runs all phases."""
