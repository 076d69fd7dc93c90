"""What chains of transformations make of a value, without the steps that cannot change it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from adc_plugins.waf.engine.transforms import TransformationChain
from adc_plugins.waf.expression import Expression
from adc_plugins.waf.transformations import TRANSFORMATIONS

_ONLY_CASE: Final = frozenset({"lowercase", "uppercase"})
"""Transformations that change nothing but letter case, which no expression that follows them minds."""

_LARGE: Final = 4096
"""Bytes from which it pays to look whether a transformation has already seen the value."""

Known = dict[tuple[Callable[[bytes], bytes], bytes], bytes]
"""Results by transformation and value."""


@dataclass(slots=True)
class _Step:
    """A transformation, and those that run on its result; `wanted` if the result itself is."""

    function: Callable[[bytes], bytes]
    wanted: bool = False
    next: dict[str, _Step] = field(default_factory=dict)


class Variants:
    """Results of chains by the triggers that a value matches; chains with the same first steps share them."""

    def __init__(
        self,
        chains: Iterable[TransformationChain],
        staged: frozenset[TransformationChain],
        triggers: Sequence[Expression],
    ) -> None:
        self.chains = frozenset(chains)
        self._ordered = tuple(chains)
        self._staged = staged
        self._bits = {
            name: -1 if trigger is None else 1 << triggers.index(trigger)
            for name, trigger in _triggers(self._ordered).items()
        }
        self._steps: dict[int, list[_Step]] = {}

    def of(self, value: bytes, mask: int) -> set[bytes]:
        """Return what the chains make of a value that matches the triggers of `mask`, without the value itself."""
        steps = self._steps.get(mask)
        if steps is None:
            steps = self._steps[mask] = self._steps_for(mask)
        found: set[bytes] = set()
        if steps:
            if len(value) < _LARGE:
                _walk(steps, value, found)
            else:
                _walk_once(steps, value, found, {})
            found.discard(value)
        return found

    def _steps_for(self, mask: int) -> list[_Step]:
        first: dict[str, _Step] = {}
        for chain in self._ordered:
            at, step = first, None
            for name in self._needed(chain, mask):
                step = at.get(name)
                if step is None:
                    step = at[name] = _Step(TRANSFORMATIONS[name].apply)
                step.wanted = step.wanted or chain in self._staged
                at = step.next
            if step is not None:
                step.wanted = True
        return list(first.values())

    def _needed(self, chain: TransformationChain, mask: int) -> Iterator[str]:
        """Yield the transformations of a chain that may change the value, and all behind them."""
        names = chain.names
        if all(name in _ONLY_CASE or not self._may_change(name, mask) for name in names):
            return
        changed = False
        for name in names:
            if name in _ONLY_CASE:
                yield name
            elif changed or self._may_change(name, mask):
                changed = True
                yield name

    def _may_change(self, name: str, mask: int) -> bool:
        bit = self._bits[name]
        return bit < 0 or bool(mask & bit)


def triggers_of(chains: Iterable[TransformationChain]) -> list[Expression]:
    """Return the expressions that decide; bit N of a value's mask is set if the one at N matches."""
    return list(dict.fromkeys(trigger for trigger in _triggers(chains).values() if trigger is not None))


def _triggers(chains: Iterable[TransformationChain]) -> dict[str, Expression | None]:
    names = {name for chain in chains for name in chain.names}
    return {name: TRANSFORMATIONS[name].trigger for name in sorted(names - _ONLY_CASE)}


def _walk(steps: Iterable[_Step], value: bytes, found: set[bytes]) -> None:
    for step in steps:
        result = step.function(value)
        if step.wanted:
            found.add(result)
        if step.next:
            _walk(step.next.values(), result, found)


def _walk_once(steps: Iterable[_Step], value: bytes, found: set[bytes], known: Known) -> None:
    """Do the same, but run no transformation twice on equal values, which the first steps often leave as they were."""
    for step in steps:
        key = (step.function, value)
        result = known.get(key)
        if result is None:
            result = known[key] = step.function(value)
        if step.wanted:
            found.add(result)
        if step.next:
            _walk_once(step.next.values(), result, found, known)
