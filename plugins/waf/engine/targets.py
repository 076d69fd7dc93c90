"""A rule's list of variables, compiled: which items it looks at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from adc_plugins.waf.engine.items import Exclusion, Item, KeyTest
from adc_plugins.waf.engine.state import VOLATILE, State
from adc_plugins.waf.operators import compile_operator
from adc_plugins.waf.seclang.model import OperatorCall, Place, SecLangError, Target

Namespaces = tuple[tuple[str, str], ...]
"""Pairs of prefix and URI, for XPath."""

_SIMPLE: Final = re.compile(r"(\^?)([A-Za-z0-9_-]+?)(?:[.A-Za-z0-9_-]\*)?")
"""A pattern that is a text, maybe at the beginning of the key, and whatever follows."""

_NOTHING: Final[tuple[Item, ...]] = ()


def _no_data(name: str) -> bytes:
    raise ValueError(name)


def key_test(target: Target, place: Place) -> KeyTest | None:
    """Return the test of the keys that a target means, None if all are; letter case does not count."""
    if target.key is None:
        return None
    key = target.key.encode()
    if not target.pattern:
        return lambda received: received.lower() == key
    text, anchored = _text_of(target)
    if text:
        return lambda received: received.lower().startswith(text) if anchored else text in received.lower()
    operator = compile_operator(OperatorCall("rx", f"(?i){target.key}"), place, _no_data)
    try:
        operator.check()
    except ValueError as error:
        raise SecLangError(place, f"{target.variable}:/{target.key}/: {error}") from None
    return lambda received: operator.match(received) is not None


def _text_of(target: Target) -> tuple[bytes, bool]:
    """Return the text that a pattern of keys stands for, in small letters, and True if keys begin with it."""
    simple = _SIMPLE.fullmatch(target.key or "") if target.pattern else None
    return (simple[2].lower().encode(), bool(simple[1])) if simple else (b"", False)


def _tx_items(tx: dict[bytes, bytes], text: bytes, anchored: bool) -> Sequence[Item]:
    if anchored:
        return [("TX", key, value) for key, value in tx.items() if key.startswith(text)]
    return [("TX", key, value) for key, value in tx.items() if text in key]


def exclusion_of(target: Target, place: Place) -> Exclusion:
    """Return the exclusion of what a target names."""
    return Exclusion(target.variable, key_test(target, place))


class TargetList:
    """The items that a rule looks at: those of its variables without the excluded ones, in the order written."""

    __slots__ = ("_selections", "_tx_key", "static", "targets")

    def __init__(self, targets: Sequence[Target], place: Place, namespaces: Namespaces = ()) -> None:
        wanted = [target for target in targets if not target.excluded]
        excluded = [target for target in targets if target.excluded]
        self.targets = tuple(targets)
        self._selections = tuple(_Selection(target, excluded, place, namespaces) for target in wanted)
        only = targets[0] if len(targets) == 1 and targets[0].variable == "TX" else None
        plain = only is not None and not (only.pattern or only.count or only.excluded)
        self._tx_key = only.key.encode() if only and plain and only.key is not None else None
        self.static = not any(target.variable in VOLATILE for target in wanted)
        """True if the items change only between phases."""

    def items(self, state: State) -> Sequence[Item]:
        """Return the items; remembered for the phase unless a rule may change them."""
        if self._tx_key is not None:
            value = state.tx.get(self._tx_key)
            return () if value is None else (("TX", self._tx_key, value),)
        if not self.static:
            return self._collect(state)
        remembered = state.items.get(self)
        if remembered is None:
            remembered = state.items[self] = self._collect(state)
        return remembered

    def _collect(self, state: State) -> Sequence[Item]:
        if len(self._selections) == 1:
            return self._selections[0].items(state)
        found: list[Item] = []
        for selection in self._selections:
            found.extend(selection.items(state))
        return found


class _Selection:
    """One variable, or keys of it, without what is excluded."""

    __slots__ = (
        "_count",
        "_exclusions",
        "_key",
        "_name",
        "_namespaces",
        "_test",
        "_tx_anchored",
        "_tx_text",
        "_variable",
        "_xpath",
    )

    def __init__(
        self, target: Target, excluded: Sequence[Target], place: Place, namespaces: Namespaces
    ) -> None:
        xpath = target.key if target.variable == "XML" else None
        self._variable = target.variable
        self._xpath = xpath
        self._namespaces = namespaces
        self._name = f"&{target.variable}" if target.count else target.variable
        self._count = target.count
        self._key = None if target.pattern or xpath is not None or target.key is None else target.key.encode()
        self._test = key_test(target, place) if target.pattern else None
        self._tx_text, self._tx_anchored = _text_of(target) if target.variable == "TX" else (b"", False)
        self._exclusions = tuple(
            exclusion_of(other, place) for other in excluded if other.variable == target.variable
        )

    def items(self, state: State) -> Sequence[Item]:
        if not self._count:
            return self._plain(state)
        key = self._key if self._key is not None else b""
        return ((self._name, key, b"%d" % len(self._plain(state))),)

    def _plain(self, state: State) -> Sequence[Item]:
        found: Sequence[Item]
        if self._xpath is not None:
            nodes = state.variables.xml(self._xpath, self._namespaces)
            found = [("XML", key, text) for key, text in nodes]
        elif self._tx_text:
            found = _tx_items(state.tx, self._tx_text, self._tx_anchored)
        elif self._key is not None:
            found = self._by_key(state, self._key)
        elif self._test is None:
            found = self._every(state)
        else:
            found = [item for item in self._every(state) if self._test(item[1])]
        if not self._exclusions:
            return found
        return [item for item in found if not any(each.covers(item[0], item[1]) for each in self._exclusions)]

    def _every(self, state: State) -> Sequence[Item]:
        """Return all items of the variable; rules share those that change only between phases."""
        variable = self._variable
        if variable in VOLATILE:
            return [(variable, key, value) for key, value in state.get(variable)]
        found = state.items.get(variable)
        if found is None:
            pairs = state.variables.get(variable)
            found = state.items[variable] = [(variable, key, value) for key, value in pairs]
        return found

    def _by_key(self, state: State, key: bytes) -> Sequence[Item]:
        variable = self._variable
        if variable == "TX":
            value = state.tx.get(key)
            return (("TX", key, value),) if value is not None else _NOTHING
        if variable in VOLATILE:
            return [(variable, name, value) for name, value in state.get(variable) if name.lower() == key]
        return [(variable, name, value) for name, value in state.variables.select(variable, key)]
