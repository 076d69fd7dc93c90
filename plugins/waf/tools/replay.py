"""What the rules would have done with recorded requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from adc_plugins.waf.engine import Ruleset, Transaction
from adc_plugins.waf.tools.replay_input import Recorded
from adc_plugins.waf.tools.trial import run

MOST_GROUPS: Final = 10_000
_LONGEST: Final = 100


@dataclass(slots=True)
class Group:
    """Matches of one rule on one path. `blocked` counts those in rejected requests."""

    rule: int
    path: str
    message: str
    place: str
    count: int = 0
    blocked: int = 0
    example: str = ""
    """The variable and the value of the first match."""


@dataclass(slots=True)
class Summary:
    """Counts of a replay. Requests of routes without firewall are `outside`; those no route serves, too."""

    requests: int = 0
    outside: int = 0
    matched: int = 0
    blocked: int = 0
    groups: dict[tuple[int, str], Group] = field(default_factory=dict)
    left_out: int = 0
    """Matches in further groups than can be counted."""

    def sorted_groups(self) -> list[Group]:
        """Return the groups, those that block most requests first."""
        return sorted(
            self.groups.values(), key=lambda group: (-group.blocked, -group.count, group.rule, group.path)
        )

    def add(self, recorded: Recorded, transaction: Transaction) -> None:
        """Count one request."""
        blocked = transaction.detected is not None or transaction.intervention is not None
        self.blocked += blocked
        self.matched += bool(transaction.matches)
        path = recorded.request.target.partition("?")[0]
        seen = set()
        for match in transaction.matches:
            if match.variable == "TX" or not (match.scores or match.variable):
                continue
            group = self._group(match.rule_id, path)
            if group is None:
                self.left_out += 1
                continue
            if not group.count:
                group.message, group.place = _text(match.message), str(match.place)
                group.example = f"{match.name} = {_text(match.value)!r}" if match.variable else ""
            if match.rule_id not in seen:
                seen.add(match.rule_id)
                group.count += 1
                group.blocked += blocked

    def _group(self, rule: int, path: str) -> Group | None:
        key = rule, path
        if key not in self.groups:
            if len(self.groups) >= MOST_GROUPS:
                return None
            self.groups[key] = Group(rule, path, "", "")
        return self.groups[key]


def replay(requests: Iterable[Recorded], find: Callable[[Recorded], Ruleset | None]) -> Summary:
    """Run requests against the rules that `find` returns; None for a request that passes no firewall."""
    summary = Summary()
    for recorded in requests:
        summary.requests += 1
        ruleset = find(recorded)
        if ruleset is None:
            summary.outside += 1
            continue
        summary.add(recorded, run(ruleset, recorded.request, client=recorded.client or "192.0.2.1"))
    return summary


def _text(value: bytes) -> str:
    text = value[: _LONGEST + 1].decode("utf-8", "backslashreplace")
    return text if len(value) <= _LONGEST else f"{text[:_LONGEST]}..."
