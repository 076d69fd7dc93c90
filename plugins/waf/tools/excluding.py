"""`adc waf exclude`: writes exclusions and their tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from adc_plugins.waf.code.examples import ExampleRequest
from adc_plugins.waf.collect.variables import Variables
from adc_plugins.waf.engine import Ruleset
from adc_plugins.waf.tools.audit_log import AuditRecord, MatchRecord
from adc_plugins.waf.tools.exclusion import Exclusion, free_id, is_excluded, last_day, target_of
from adc_plugins.waf.tools.reproduce import MASK, reproduced
from adc_plugins.waf.tools.rule_tests import SUFFIX, as_yaml
from adc_plugins.waf.tools.trial import facts_of, run
from adc_plugins.waf.tools.uses import Use, ignored

_WHOLE_RULE: Final = frozenset({"", "TX", "MATCHED_VAR", "MATCHED_VARS", "HIGHEST_SEVERITY", "DURATION"})
"""Variables that are not of the request: a match on one excludes the whole rule."""


class CannotExclude(ValueError):
    """There is nothing to exclude, or nowhere to write it."""


@dataclass(frozen=True, slots=True)
class _Planned:
    exclusion: Exclusion
    match: MatchRecord
    request: ExampleRequest
    shown: bool
    """True if the rule matches the request without the exclusion."""

    @property
    def target(self) -> str:
        return self.exclusion.target or "all variables"


def exclude(use: Use, record: AuditRecord, rule: int | None, days: int, now: float) -> Iterator[str]:
    """Write an exclusion for each match of `record`, or of `rule` alone; yield what was written."""
    path = use.options.exclusions
    if path is None:
        raise CannotExclude(
            f"the route {use.route} names no file of exclusions; add exclusions: waf-exclusions.conf to its options"
        )
    before = _ruleset(use)
    planned = []
    for match in _matches(record, rule):
        each = _plan(before, record, match, last_day(days, now))
        if is_excluded(before.program, each.exclusion, now):
            yield f"rule {match.rule} ignores {each.target} of this path already"
        else:
            planned.append(each)
    if planned:
        yield from _write(path, planned, free_id(before.program))
        yield from _doubts(planned, _ruleset(use))


def _plan(before: Ruleset, record: AuditRecord, match: MatchRecord, expires: date) -> _Planned:
    request = reproduced(record, match)
    target = "" if match.variable in _WHOLE_RULE else target_of(match.variable, match.key)
    exclusion = Exclusion(match.rule, target, filename(request), expires, f"request {record.id}")
    return _Planned(exclusion, match, request, _matches_rule(before, request, match.rule))


def filename(request: ExampleRequest) -> bytes:
    """Return the path of a request as rules see it."""
    return Variables(facts_of(request, "192.0.2.1", 0.0)).get("REQUEST_FILENAME")[0][1]


def _matches(record: AuditRecord, rule: int | None) -> list[MatchRecord]:
    """Return the matches to exclude, one for each rule and variable."""
    found: dict[tuple[int, str], MatchRecord] = {}
    for match in record.scoring:
        if rule in (None, match.rule):
            found.setdefault((match.rule, match.name), match)
    if not found:
        ids = ", ".join(str(number) for number in dict.fromkeys(match.rule for match in record.scoring))
        raise CannotExclude(
            f"rule {rule} did not match the request; these did: {ids}"
            if rule
            else "no rule matched the request"
        )
    return list(found.values())


def _write(path: Path, planned: Sequence[_Planned], number: int) -> Iterator[str]:
    tests = path.with_name(path.name.removesuffix(".conf") + SUFFIX)
    for offset, each in enumerate(planned):
        exclusion = each.exclusion
        name = f"rule {exclusion.rule} ignores {each.target} of {exclusion.path.decode('latin-1')}"
        _append(path, exclusion.directive(number + offset))
        _append(tests, as_yaml(name, each.request, unexpected=exclusion.rule), "tests:\n")
        yield f"{path}: {name} until {exclusion.expires}"
    yield f"{tests}: {len(planned)} tests"


def _doubts(planned: Sequence[_Planned], after: Ruleset) -> Iterator[str]:
    """Yield what is to be done by hand."""
    for each in planned:
        match = each.match
        if MASK in match.value:
            yield f"the log masks {match.name}; put a value that matched into the test of rule {match.rule}"
        elif not each.shown:
            yield f"rule {match.rule} does not match the test's request without the exclusion; complete the request"
        elif _matches_rule(after, each.request, match.rule):
            yield f"rule {match.rule} still matches the test's request, on another variable"


def _ruleset(use: Use) -> Ruleset:
    return use.ruleset({"paranoia": 4, "detection_paranoia": None}, ignored)


def _matches_rule(ruleset: Ruleset, request: ExampleRequest, rule: int) -> bool:
    return any(match.rule_id == rule for match in run(ruleset, request).matches)


def _append(path: Path, text: str, head: str = "") -> None:
    """Append to a file; `head` begins a new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(text if file.tell() else head + text)
