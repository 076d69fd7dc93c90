"""What changes while the rules of a transaction run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Final

from adc_plugins.waf.collect.facts import RequestFacts
from adc_plugins.waf.collect.variables import Variables
from adc_plugins.waf.engine.items import Exclusion, Item, Pair, name_of
from adc_plugins.waf.engine.limits import EngineLimits
from adc_plugins.waf.engine.numbers import number_of
from adc_plugins.waf.engine.persistent import Collection, Persistent
from adc_plugins.waf.engine.results import Intervention, RuleMatch
from adc_plugins.waf.seclang.names import COLLECTIONS

VOLATILE: Final = COLLECTIONS | frozenset(
    [
        "TX",
        "MATCHED_VAR",
        "MATCHED_VAR_NAME",
        "MATCHED_VARS",
        "MATCHED_VARS_NAMES",
        "RULE",
        "HIGHEST_SEVERITY",
        "ENV",
        "DURATION",
        "SESSIONID",
        "USERID",
        "WEBAPPID",
    ]
)
"""Variables that the engine keeps, and that change while rules run."""

ON: Final = "on"
OFF: Final = "off"
DETECT: Final = "detect"
LOWEST_SEVERITY: Final = 255


class State:
    """A transaction as its rules see and change it. TX has lower-case keys."""

    def __init__(
        self,
        facts: RequestFacts,
        variables: Variables,
        persistent: Persistent,
        tx: dict[bytes, bytes],
        engine: str,
        limits: EngineLimits,
        collection_timeout: int,
    ) -> None:
        self.facts = facts
        self.variables = variables
        self.persistent = persistent
        self.tx = tx
        self.engine = engine
        self.limits = limits
        self.collection_timeout = collection_timeout
        self.collections: dict[str, Collection] = {}
        self.environment: dict[bytes, bytes] = {}
        self.named: dict[str, bytes] = {}
        self.matched: list[Item] = []
        self.rule: Callable[[], Sequence[Pair]] = tuple
        self.changes: dict[bytes, int] = {}
        self.highest_severity = LOWEST_SEVERITY
        self.matches: list[RuleMatch] = []
        self.intervention: Intervention | None = None
        self.detected: Intervention | None = None
        self.allowed = ""
        self.captured = 10
        """How many of TX.0 to TX.9 may be set."""
        self.removed = [0, 0, 0, 0, 0, 0]
        self.exclusions: dict[tuple[int, int], list[Exclusion]] = {}
        self.controls: dict[str, str] = {}
        self.reached: set[str] = set()
        self.items: dict[object, Sequence[Item]] = {}
        self.heavy = False
        """True if there is a large body, for which one rule may take milliseconds."""
        self.bits = 0
        self.marked: dict[object, list[tuple[Item, int]]] = {}
        """Items of lists of targets, with the bits of their values."""
        self.value_bits: dict[bytes, tuple[int, frozenset[object]]] = {}
        """Bits of the conditions that a value meets, complete for those with these chains of transformations."""
        self.scanned: dict[object, Sequence[Pair]] = {}
        self.variables_changed = False
        self.transformed: dict[object, dict[bytes, bytes]] = {}
        self.started = monotonic()
        self.spent = 0.0
        self.matches_to_look = 1
        """After how many matches the clock is looked at again."""

    def get(self, variable: str) -> Sequence[Pair]:
        """Return keys and values of a variable."""
        if variable == "TX":
            return list(self.tx.items())
        if variable in VOLATILE:
            return self._own(variable)
        return self.variables.get(variable)

    def _own(self, variable: str) -> Sequence[Pair]:
        if variable in COLLECTIONS:
            collection = self.collections.get(variable)
            return list(collection.values.items()) if collection else ()
        if variable.startswith("MATCHED"):
            return self._matched(variable)
        if variable == "RULE":
            return self.rule()
        if variable == "ENV":
            return list(self.environment.items())
        if variable == "HIGHEST_SEVERITY":
            return [(b"", b"%d" % self.highest_severity)]
        if variable == "DURATION":
            return [(b"", b"%d" % ((monotonic() - self.started) * 1000))]
        value = self.named.get(variable)
        return [(b"", value)] if value is not None else ()

    def _matched(self, variable: str) -> Sequence[Pair]:
        if variable == "MATCHED_VARS":
            return [(name_of(item), item[2]) for item in self.matched]
        if variable == "MATCHED_VARS_NAMES":
            return [(name_of(item), name_of(item)) for item in self.matched]
        if not self.matched:
            return ()
        last = self.matched[-1]
        return [(b"", last[2] if variable == "MATCHED_VAR" else name_of(last))]

    def forget_items(self) -> None:
        """Read variables anew, because some of them have changed."""
        self.items.clear()
        self.marked.clear()
        self.variables_changed = True

    def set_tx(self, name: bytes, value: bytes) -> None:
        """Set a variable of TX within the limits."""
        if name not in self.tx and len(self.tx) >= self.limits.variables:
            self.reached.add("variables")
            return
        if len(name) == 1:
            self.captured = 10
        if len(value) > self.limits.variable_bytes:
            self.reached.add("variable_bytes")
            value = value[: self.limits.variable_bytes]
        self.tx[name] = value

    def add_tx(self, name: bytes, amount: int) -> None:
        """Add to a number of TX; changes of scores are kept for the record of the match."""
        self.set_tx(name, b"%d" % (number_of(self.tx.get(name, b"0")) + amount))
        if b"score" in name:
            self.changes[name] = self.changes.get(name, 0) + amount

    def set_persistent(self, variable: str, name: bytes, value: bytes) -> None:
        """Set a variable of an open collection within the limits."""
        collection = self.collections[variable]
        if name not in collection.values and len(collection.values) >= self.limits.variables:
            self.reached.add("variables")
            return
        collection.set(name, value[: self.limits.variable_bytes])

    def set_environment(self, name: bytes, value: bytes | None) -> None:
        """Set a variable of ENV, or remove it."""
        if value is None:
            self.environment.pop(name, None)
        elif len(self.environment) < self.limits.variables:
            self.environment[name] = value[: self.limits.variable_bytes]

    def give_up(self) -> None:
        """Note that an operator reached its limit; rules see it as TX:MSC_PCRE_LIMITS_EXCEEDED."""
        self.reached.add("operator")
        self.tx[b"msc_pcre_limits_exceeded"] = b"1"

    def open_collection(self, variable: str, key: bytes) -> None:
        """Load a persistent collection, unless it is open."""
        if variable not in self.collections:
            stored = self.persistent.load(variable, key)
            self.collections[variable] = Collection(
                variable, key, stored, int(self.facts.time), self.collection_timeout
            )

    def remove_rules(self, masks: Iterable[int]) -> None:
        """Leave out the rules of `masks`, one for each phase from 0 on."""
        self.removed = [old | new for old, new in zip(self.removed, masks, strict=True)]
