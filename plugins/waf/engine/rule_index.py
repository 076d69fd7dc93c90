"""Where the rules of a program are: positions in their phases, by id, tag and message, and the places of markers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from adc_plugins.waf.operators import compile_operator
from adc_plugins.waf.seclang.model import Marker, OperatorCall, Place, Program, Rule
from adc_plugins.waf.seclang.ranges import parse_ids

PHASES: Final = 6
"""One more than there are phases, so that they count from 1."""

Position = tuple[int, int]
"""Phase, and the count of rules before in this phase."""


def _no_data(name: str) -> bytes:
    raise ValueError(name)


class RuleIndex:
    """Positions of all rules of a program."""

    def __init__(self, program: Program) -> None:
        self._rules: list[tuple[Rule, Position]] = []
        self._marks: dict[str, list[tuple[int, tuple[int, ...]]]] = {}
        self._order: dict[Position, int] = {}
        self.counts = [0] * PHASES
        for order, item in enumerate(program.items):
            if isinstance(item, Marker):
                self._marks.setdefault(item.name, []).append((order, tuple(self.counts)))
                continue
            position = (item.phase, self.counts[item.phase])
            self._rules.append((item, position))
            self._order[position] = order
            self.counts[item.phase] += 1
            self._marks.setdefault(str(item.id), []).append((order, tuple(self.counts)))

    @property
    def rules(self) -> list[tuple[Rule, Position]]:
        """The rules in the order of the files, with their positions."""
        return self._rules

    def after(self, position: Position, marker: str) -> int:
        """Return the position of the first rule of the same phase behind the next `marker`; without one, the end."""
        order = self._order[position]
        for place, counts in self._marks.get(marker, ()):
            if place > order:
                return counts[position[0]]
        return self.counts[position[0]]

    def by_id(self, text: str, place: Place) -> list[Position]:
        """Return the rules that `text` names: ids and ranges such as `1,5-9`."""
        ids = parse_ids(text, place)
        return self._where(lambda rule: rule.id in ids)

    def by_tag(self, pattern: str, place: Place) -> list[Position]:
        """Return the rules with a tag that matches."""
        matches = _search(pattern, place)
        return self._where(lambda rule: any(matches(tag) for tag in rule.tags))

    def by_message(self, pattern: str, place: Place) -> list[Position]:
        """Return the rules whose message matches."""
        matches = _search(pattern, place)
        return self._where(lambda rule: matches(rule.last("msg") or ""))

    def _where(self, wanted: Callable[[Rule], bool]) -> list[Position]:
        return [position for rule, position in self._rules if wanted(rule)]


def masks(positions: Iterable[Position]) -> list[int]:
    """Return a bit for each position, by phase."""
    result = [0] * PHASES
    for phase, position in positions:
        result[phase] |= 1 << position
    return result


def _search(pattern: str, place: Place) -> Callable[[str], bool]:
    operator = compile_operator(OperatorCall("rx", pattern.strip("'\"")), place, _no_data)
    return lambda text: operator.match(text.encode()) is not None
