"""Which chains of transformations may change a value, found without running them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from adc_plugins.waf.engine.transforms import TransformationChain
from adc_plugins.waf.expression import Expression
from adc_plugins.waf.transformations import TRANSFORMATIONS


class Triggers:
    """Chains by the expressions that a value must match before they change more than its letter case."""

    def __init__(self, chains: Iterable[TransformationChain]) -> None:
        self._always: list[TransformationChain] = []
        by_trigger: dict[Expression, list[TransformationChain]] = {}
        for chain in chains:
            triggers = _triggers(chain)
            if triggers is None:
                self._always.append(chain)
                continue
            for trigger in triggers:
                by_trigger.setdefault(trigger, []).append(chain)
        self._any = _compiled(by_trigger)
        self._each = [(_compiled([trigger]), chains) for trigger, chains in by_trigger.items()]
        self._quiet = not by_trigger

    def chains(self, value: bytes) -> Iterable[TransformationChain]:
        """Return the chains that may change `value`."""
        if self._quiet or self._any.search(value) is None:
            return self._always
        found = dict.fromkeys(self._always)
        for trigger, chains in self._each:
            if trigger.search(value) is not None:
                found.update(dict.fromkeys(chains))
        return found


def _triggers(chain: TransformationChain) -> list[Expression] | None:
    """Return the triggers of a chain, None if it may change every value."""
    found = []
    for name in chain.names:
        transformation = TRANSFORMATIONS[name]
        if transformation.trigger is None:
            return None
        if not transformation.cases or name not in ("lowercase", "uppercase"):
            found.append(transformation.trigger)
    return found


def _compiled(triggers: Iterable[Expression]) -> re.Pattern[bytes]:
    parts = [b"(?%s:%s)" % (b"i" if trigger.caseless else b"", trigger.pattern) for trigger in triggers]
    return re.compile(b"|".join(parts), re.DOTALL | re.MULTILINE)
