"""One search of a request's values for what the conditions of all rules need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adc_plugins.waf.engine.conditions import Condition, Source
from adc_plugins.waf.engine.databases import ExpressionSet
from adc_plugins.waf.engine.items import Pair
from adc_plugins.waf.engine.state import State
from adc_plugins.waf.engine.transforms import TransformationChain
from adc_plugins.waf.engine.variants import Variants, triggers_of
from adc_plugins.waf.expression import Expression

_HEADERS: Final = "REQUEST_HEADERS"
_REMEMBERED: Final = 4096
_LONGEST_REMEMBERED: Final = 512
_NOT_REMEMBERED: Final = frozenset({b"cookie", b"authorization", b"proxy-authorization", b"referer"})
"""Headers that differ by request or hold secrets."""
_REPEATED: Final = {
    "ARGS_GET_NAMES",
    "ARGS_NAMES",
    "ARGS_POST_NAMES",
    "REQUEST_COOKIES_NAMES",
    "REQUEST_HEADERS_NAMES",
    "REQUEST_METHOD",
    "REQUEST_PROTOCOL",
}
"""Variables of which clients send the same values again and again."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A source, the bits that it sets if it has a value, and those that a search of its values may set."""

    variable: str
    xpath: str
    present: int
    searched: int
    variants: Variants | None
    """None for the request's headers, of which each has its own."""
    repeated: bool


class Scanner:
    """Turns values into bits, one for each condition: its source has a value, in which an expression matches."""

    def __init__(self, conditions: Sequence[tuple[int, Condition]], cache: Path | None) -> None:
        masks: dict[Expression, int] = {}
        self._searched = 0
        for bit, condition in conditions:
            for expression in condition.expressions:
                masks[expression] = masks.get(expression, 0) | 1 << bit
            if condition.expressions:
                self._searched |= 1 << bit
        staged = frozenset(_chains(each for each in conditions if each[1].link.multi_match))
        triggers = triggers_of(_chains(conditions))
        self._masks = list(masks.values())
        self._set = ExpressionSet([*masks, *triggers], cache)
        self._sources = _by_source(conditions)
        self._headers = {
            source.key.encode(): mask for source, mask in self._sources.items() if source.variable == _HEADERS
        }
        self._every_header = self._headers.get(b"", 0)
        self._headers = {name: mask | self._every_header for name, mask in self._headers.items()}
        self._variants = _variants(
            conditions, [*self._sources.values(), *self._headers.values()], staged, triggers
        )
        self._remembered: dict[tuple[bytes, Variants], int] = {}

    def readings(self, sources: Iterable[Source]) -> tuple[_Reading, ...]:
        """Return `sources` prepared for `scan`."""
        return tuple(map(self._reading, sources))

    def _reading(self, source: Source) -> _Reading:
        mask = self._sources.get(source, 0)
        variants = None if source.variable == _HEADERS else self._variants[mask]
        repeated = source.variable in _REPEATED
        return _Reading(
            source.variable, source.key, mask & ~self._searched, mask & self._searched, variants, repeated
        )

    def scan(self, state: State, readings: Iterable[_Reading]) -> int:
        """Return the bits of all conditions that hold, of `readings` and of those scanned before."""
        scanned, get = state.scanned, state.variables.get
        for reading in readings:
            pairs = state.variables.xml(reading.xpath) if reading.xpath else get(reading.variable)
            name = (reading.variable, reading.xpath)
            if not pairs or scanned.get(name) is pairs:
                continue
            scanned[name] = pairs
            state.marked.clear()
            if reading.variants is None:
                state.bits |= self._header_bits(state, pairs)
                continue
            state.bits |= reading.present
            if reading.searched:
                found = self._bits_of(state, pairs, reading.variants, reading.repeated)
                state.bits |= reading.searched & found
        return state.bits

    def _header_bits(self, state: State, headers: Sequence[Pair]) -> int:
        bits = 0
        for name, value in headers:
            name = name.lower()
            mask = self._headers.get(name, self._every_header)
            if mask:
                found = self._bits_of_value(state, value, self._variants[mask], name not in _NOT_REMEMBERED)
                bits |= mask & (found | ~self._searched)
        return bits

    def _bits_of(self, state: State, pairs: Sequence[Pair], variants: Variants, remember: bool) -> int:
        bits = 0
        for _, value in pairs:
            bits |= self._bits_of_value(state, value, variants, remember)
        return bits

    def _bits_of_value(self, state: State, value: bytes, variants: Variants, remember: bool) -> int:
        """Return the bits of a value, which are complete for conditions with a chain of `variants`."""
        known, covered = state.value_bits.get(value, (0, None))
        if covered is not None and variants.chains <= covered:
            return known
        found = self._remembered.get((value, variants)) if remember else None
        if found is None:
            found = self._found(value, variants)
            if remember and len(value) <= _LONGEST_REMEMBERED:
                if len(self._remembered) >= _REMEMBERED:
                    self._remembered.clear()
                self._remembered[value, variants] = found
        found |= known
        state.value_bits[value] = found, variants.chains | covered if covered else variants.chains
        return found

    def _found(self, value: bytes, variants: Variants) -> int:
        """Return the bits of the expressions that match in a value or in what rules make of it."""
        bits = triggers = 0
        masks, count = self._masks, len(self._masks)
        for index in self._set.search(value):
            if index < count:
                bits |= masks[index]
            else:
                triggers |= 1 << index - count
        for text in variants.of(value, triggers):
            for index in self._set.search(text):
                if index < count:
                    bits |= masks[index]
        return bits


def _chains(conditions: Iterable[tuple[int, Condition]]) -> dict[TransformationChain, None]:
    return {each.link.transformations: None for _, each in conditions if each.expressions}


def _variants(
    conditions: Sequence[tuple[int, Condition]],
    masks: Iterable[int],
    staged: frozenset[TransformationChain],
    triggers: Sequence[Expression],
) -> dict[int, Variants]:
    """Return for each mask of bits the variants that their conditions need; equal ones are one object."""
    found: dict[int, Variants] = {}
    shared: dict[frozenset[TransformationChain], Variants] = {}
    for mask in masks:
        chains = _chains(each for each in conditions if mask >> each[0] & 1)
        key = frozenset(chains)
        if key not in shared:
            shared[key] = Variants(chains, staged, triggers)
        found[mask] = shared[key]
    return found


def _by_source(conditions: Iterable[tuple[int, Condition]]) -> dict[Source, int]:
    found: dict[Source, int] = {}
    for bit, condition in conditions:
        for source in condition.sources:
            found[source] = found.get(source, 0) | 1 << bit
    return found
