"""The router: which rule a request meets first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from adc.http.message import Request
from adc.routing.condition import Condition, Facts
from adc.routing.conditions import conditions
from adc.routing.index import Bucket, HostIndex, Lookup
from adc.routing.match import Match, Rule

T = TypeVar("T")


class ExplainStep(NamedTuple):
    """One step of the decision about a rule.

    `rule` counts from 0 in file order. A rule that does not match gives one step, with the first key that fails; the
    matching rule gives one for each of its keys, or one with the key "" if it has no conditions. `where` is the line
    of the key if the match has it, otherwise the line of the rule.
    """

    rule: int
    key: str
    wanted: str
    got: str
    ok: bool
    where: str


class Router(Generic[T]):
    """The first rule in order whose match holds decides. Compiled when built, then never changed.

    `find(request)` gives the rule's value, None if no rule matches.
    """

    __slots__ = ("_rules", "find")

    def __init__(self, rules: Sequence[Rule[T]]) -> None:
        self._rules = tuple(rules)
        find = _compile(self._rules)
        self.find: Callable[[Request], T | None] = find

    def explain(self, request: Request) -> list[ExplainStep]:
        """Return the steps of the decision, rule by rule, up to the one that `find` returns, whose steps are all ok."""
        facts = Facts(request)
        steps: list[ExplainStep] = []
        for number, rule in enumerate(self._rules):
            found = _explain_rule(number, rule.match, facts)
            steps += found
            if found[-1].ok:
                break
        return steps


def _explain_rule(number: int, match: Match, facts: Facts) -> list[ExplainStep]:
    steps = [_step(number, match, condition, facts) for condition in conditions(match)]
    failed = next((step for step in steps if not step.ok), None)
    if failed is not None:
        return [failed]
    return steps or [ExplainStep(number, "", "", "", True, match.where)]


def _step(number: int, match: Match, condition: Condition, facts: Facts) -> ExplainStep:
    where = match.places.get(condition.key, match.where)
    key, wanted, got = condition.key, condition.wanted, condition.got(facts)
    return ExplainStep(number, key, wanted, got, condition.holds(facts), where)


def _compile(rules: Sequence[Rule[T]]) -> Callable[[Request], T | None]:
    """Return the cheapest search that the rules allow."""
    hosts, below, others = HostIndex(rules).compile()
    if below:
        return _find_by_domain(hosts, below, others, len(rules))
    if hosts:
        return _find_by_host(hosts, others, len(rules))
    buckets = others.buckets("*")
    if not rules or (buckets and buckets[0][0][:2] == (0, None)):
        value = rules[0].value if rules else None
        return lambda request: value
    return _find_by_path(others, len(rules))


def _find_by_domain(
    hosts: dict[str, Lookup[T]], below: dict[str, Lookup[T]], others: Lookup[T], beyond: int
) -> Callable[[Request], T | None]:
    def find(request: Request) -> T | None:
        host = request.host
        lookup = hosts.get(host)
        while lookup is None:
            _, _, host = host.partition(".")
            lookup = below.get(host) if host else others
        return _first(lookup.buckets(request.path), request, beyond)

    return find


def _find_by_host(
    hosts: dict[str, Lookup[T]], others: Lookup[T], beyond: int
) -> Callable[[Request], T | None]:
    def find(request: Request) -> T | None:
        return _first(hosts.get(request.host, others).buckets(request.path), request, beyond)

    return find


def _find_by_path(lookup: Lookup[T], beyond: int) -> Callable[[Request], T | None]:
    def find(request: Request) -> T | None:
        return _first(lookup.buckets(request.path), request, beyond)

    return find


def _first(buckets: tuple[Bucket[T], ...], request: Request, beyond: int) -> T | None:
    """Return the value of the lowest rule number in `buckets` that holds; `beyond` is over all numbers."""
    best = beyond
    found: T | None = None
    facts: Facts | None = None
    for bucket in buckets:
        for number, test, value in bucket:
            if number >= best:
                break
            if test is not None:
                if facts is None:
                    facts = Facts(request)
                if not test(facts):
                    continue
            best = number
            found = value
            break
    return found
