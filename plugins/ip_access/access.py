"""The decision about an address."""

from __future__ import annotations

from collections.abc import Sequence

from adc_plugins.ip_access.ranges import Ranges, packed

MOST_KNOWN = 8192


class Access:
    """Rules in order: the first whose networks contain an address decides, else the default."""

    def __init__(self, rules: Sequence[tuple[bool, Sequence[Ranges]]], default: bool) -> None:
        self._rules = rules
        self._default = default
        self._known: dict[str, bool] = {}

    def allows(self, address: str) -> bool:
        """Return the verdict on the text of an address; text that is none gets the default."""
        known = self._known.get(address)
        return self._decided(address) if known is None else known

    def _decided(self, address: str) -> bool:
        verdict, number = self._default, packed(address)
        if number is not None:
            for allowed, sets in self._rules:
                if any(ranges.contains(number) for ranges in sets):
                    verdict = allowed
                    break
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[address] = verdict
        return verdict
