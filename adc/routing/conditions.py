"""A match split into conditions, each of which can be tested and can report its outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce

from adc.routing.condition import Condition, Facts, listed, name_condition
from adc.routing.match import Match
from adc.routing.values import ValueRule, accept_any


def conditions(match: Match) -> Iterator[Condition]:
    """Yield every condition of `match`, in the order in which they are tested."""
    if match.host:
        yield name_condition("host", match.host, lambda facts: facts.request.host)
    if match.path:
        yield path_condition(match)
    yield from further_conditions(match)


def host_condition(match: Match) -> Condition:
    return name_condition("host", match.host, lambda facts: facts.request.host)


def path_condition(match: Match) -> Condition:
    rules = tuple(match.path)

    def path(facts: Facts) -> str:
        return facts.request.sent_path if match.as_sent else facts.request.path

    def holds(facts: Facts) -> bool:
        tested = path(facts)
        return any(rule.accepts(tested) for rule in rules)

    return Condition("path", listed(rules), holds, path)


def further_conditions(match: Match) -> Iterator[Condition]:
    """Return the conditions that no index covers: all except host and path."""
    if match.method:
        methods = frozenset(match.method)
        yield Condition(
            "method",
            listed(match.method),
            lambda facts: facts.request.method in methods,
            lambda facts: facts.request.method,
        )
    yield from match.further
    yield from _value_conditions("headers", match.headers, _header_values)
    yield from _value_conditions("query", match.query, _query_values)
    yield from _value_conditions("cookies", match.cookies, _cookie_values)


def test_all(parts: Iterable[Condition]) -> Callable[[Facts], bool] | None:
    """Return one test of all `parts`; None if there are none."""
    tests = [part.holds for part in parts]
    return reduce(_both, tests) if tests else None


def _both(first: Callable[[Facts], bool], second: Callable[[Facts], bool]) -> Callable[[Facts], bool]:
    return lambda facts: first(facts) and second(facts)


Values = Callable[[Facts], Sequence[str]]


def _header_values(name: str) -> Values:
    lower = name.lower().encode("latin-1")
    return lambda facts: facts.header(lower)


def _query_values(name: str) -> Values:
    return lambda facts: facts.query(name)


def _cookie_values(name: str) -> Values:
    return lambda facts: facts.cookie(name)


def _value_conditions(
    key: str, wanted: Mapping[str, Sequence[ValueRule]], values_of: Callable[[str], Values]
) -> Iterator[Condition]:
    for name, rules in wanted.items():
        yield _value_condition(f"{key}.{name}", rules, values_of(name))


def _value_condition(key: str, rules: Sequence[ValueRule], values: Values) -> Condition:
    accepts = accept_any(rules)
    return Condition(
        key,
        listed(rules),
        lambda facts: accepts(values(facts)),
        lambda facts: ", ".join(values(facts)),
    )
