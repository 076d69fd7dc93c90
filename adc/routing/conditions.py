"""A match split into conditions, each of which can be tested and can report its outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from adc.http.cookies import parse_cookies
from adc.http.message import Request
from adc.http.networks import Networks
from adc.http.query import parse_query
from adc.routing.hosts import HostRule, any_host
from adc.routing.match import Match
from adc.routing.values import ValueRule, accept_any


class Facts:
    """A request under test; its query and cookies are parsed on first use, once."""

    __slots__ = ("_cookies", "_query", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self._cookies: dict[str, str] | None = None
        self._query: dict[str, list[str]] | None = None

    def header(self, name: bytes) -> Sequence[str]:
        """Return the values of all lines called `name` (lower-case)."""
        return [value.decode("latin-1") for value in self.request.headers.get_all(name)]

    def query(self, name: str) -> Sequence[str]:
        """Return the values of the query field `name`."""
        if self._query is None:
            self._query = parse_query(self.request.query)
        return self._query.get(name, ())

    def cookie(self, name: str) -> Sequence[str]:
        """Return the value of the cookie `name`, if there is one."""
        if self._cookies is None:
            self._cookies = parse_cookies(self.request.headers)
        value = self._cookies.get(name)
        return () if value is None else (value,)


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of a match: `wanted` as written, `got` what the request has, `holds` whether they agree."""

    key: str
    wanted: str
    holds: Callable[[Facts], bool]
    got: Callable[[Facts], str]


def conditions(match: Match) -> Iterator[Condition]:
    """Yield every condition of `match`, in the order in which they are tested."""
    if match.host:
        yield _name_condition("host", match.host, lambda facts: facts.request.host)
    if match.path:
        yield path_condition(match)
    yield from further_conditions(match)


def host_condition(match: Match) -> Condition:
    return _name_condition("host", match.host, lambda facts: facts.request.host)


def path_condition(match: Match) -> Condition:
    rules = tuple(match.path)

    def path(facts: Facts) -> str:
        return facts.request.sent_path if match.as_sent else facts.request.path

    def holds(facts: Facts) -> bool:
        tested = path(facts)
        return any(rule.accepts(tested) for rule in rules)

    return Condition("path", _listed(rules), holds, path)


def further_conditions(match: Match) -> Iterator[Condition]:
    """Return the conditions that no index covers: all except host and path."""
    if match.method:
        methods = frozenset(match.method)
        yield Condition(
            "method",
            _listed(match.method),
            lambda facts: facts.request.method in methods,
            lambda facts: facts.request.method,
        )
    if match.sni:
        yield _name_condition("tls.sni", match.sni, lambda facts: facts.request.client.sni)
    if match.source:
        networks = Networks(match.source)
        yield Condition(
            "source",
            _listed(match.source),
            lambda facts: networks.contains(facts.request.source),
            lambda facts: facts.request.source,
        )
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
        _listed(rules),
        lambda facts: accepts(values(facts)),
        lambda facts: ", ".join(values(facts)),
    )


def _name_condition(key: str, rules: Sequence[HostRule], name: Callable[[Facts], str]) -> Condition:
    return Condition(key, _listed(rules), lambda facts: any_host(rules, name(facts)), name)


def _listed(rules: Iterable[object]) -> str:
    return " | ".join(map(str, rules))
