"""One search of a request's values for what the conditions of all rules need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from adc_plugins.waf.engine.conditions import Condition, Source
from adc_plugins.waf.engine.databases import ExpressionSet
from adc_plugins.waf.engine.items import Pair
from adc_plugins.waf.engine.state import State
from adc_plugins.waf.engine.transforms import TransformationChain
from adc_plugins.waf.engine.variants import Variants
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
        self._variants = Variants(_chains(conditions), staged)
        self._masks = list(masks.values())
        self._set = ExpressionSet([*masks, *self._variants.triggers], cache)
        self._sources = _by_source(conditions)
        self._headers = {
            source.key.encode(): mask for source, mask in self._sources.items() if source.variable == _HEADERS
        }
        self._every_header = self._headers.get(b"", 0)
        self._headers = {name: mask | self._every_header for name, mask in self._headers.items()}
        self._remembered: dict[bytes, int] = {}

    def scan(self, state: State, sources: Iterable[Source]) -> int:
        """Return the bits of all conditions that hold, of `sources` and of those scanned before."""
        for source in sources:
            pairs = _read(state, source)
            if not pairs or state.scanned.get(source) is pairs:
                continue
            state.scanned[source] = pairs
            state.marked.clear()
            if source.variable == _HEADERS:
                state.bits |= self._header_bits(state, pairs)
                continue
            mask = self._sources[source]
            state.bits |= mask & ~self._searched
            if mask & self._searched:
                state.bits |= mask & self._bits_of(state, pairs, source.variable in _REPEATED)
        return state.bits

    def _header_bits(self, state: State, headers: Sequence[Pair]) -> int:
        bits = 0
        for name, value in headers:
            name = name.lower()
            mask = self._headers.get(name, self._every_header)
            if mask:
                found = self._bits_of_value(state, value, name not in _NOT_REMEMBERED)
                bits |= mask & (found | ~self._searched)
        return bits

    def _bits_of(self, state: State, pairs: Sequence[Pair], remember: bool) -> int:
        bits = 0
        for _, value in pairs:
            bits |= self._bits_of_value(state, value, remember)
        return bits

    def _bits_of_value(self, state: State, value: bytes, remember: bool) -> int:
        found = state.value_bits.get(value)
        if found is not None:
            return found
        found = self._remembered.get(value)
        if found is None:
            found = self._found(value)
            if remember and len(value) <= _LONGEST_REMEMBERED:
                if len(self._remembered) >= _REMEMBERED:
                    self._remembered.clear()
                self._remembered[value] = found
        state.value_bits[value] = found
        return found

    def _found(self, value: bytes) -> int:
        """Return the bits of the expressions that match in a value or in what rules make of it."""
        bits = triggers = 0
        masks, count = self._masks, len(self._masks)
        for index in self._set.search(value):
            if index < count:
                bits |= masks[index]
            else:
                triggers |= 1 << index - count
        for text in self._variants.of(value, triggers):
            for index in self._set.search(text):
                if index < count:
                    bits |= masks[index]
        return bits


def _read(state: State, source: Source) -> Sequence[Pair]:
    if source.variable == "XML" and source.key:
        return state.variables.xml(source.key)
    return state.variables.get(source.variable)


def _chains(conditions: Iterable[tuple[int, Condition]]) -> dict[TransformationChain, None]:
    return {each.link.transformations: None for _, each in conditions if each.expressions}


def _by_source(conditions: Iterable[tuple[int, Condition]]) -> dict[Source, int]:
    found: dict[Source, int] = {}
    for bit, condition in conditions:
        for source in condition.sources:
            found[source] = found.get(source, 0) | 1 << bit
    return found
