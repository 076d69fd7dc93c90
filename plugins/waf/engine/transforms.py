"""Chains of transformations: `t:urlDecodeUni,t:lowercase`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adc_plugins.waf.engine.state import State
from adc_plugins.waf.transformations import TRANSFORMATIONS


class TransformationChain:
    """Transformations in their order; there is one object for all rules with the same list."""

    __slots__ = ("_functions", "names")

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._functions: tuple[Callable[[bytes], bytes], ...] = tuple(
            TRANSFORMATIONS[name].apply for name in names
        )

    def apply(self, state: State, value: bytes) -> bytes:
        """Return the transformed value; each value of a transaction is transformed once."""
        if not self._functions:
            return value
        known = state.transformed.get(self)
        if known is None:
            known = state.transformed[self] = {}
        result = known.get(value)
        if result is None:
            result = known[value] = self._transformed(value)
        return result

    def _transformed(self, value: bytes) -> bytes:
        for function in self._functions:
            value = function(value)
        return value

    def stages(self, value: bytes) -> list[bytes]:
        """Return the value and what each transformation that changed it made of it."""
        found = [value]
        for function in self._functions:
            value = function(value)
            if value != found[-1]:
                found.append(value)
        return found
