"""One condition on a request, which can be tested and can report its outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from adc.http.cookies import parse_cookies
from adc.http.message import Request
from adc.http.networks import Networks
from adc.http.query import parse_query
from adc.routing.hosts import HostRule, any_host


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


def name_condition(key: str, rules: Sequence[HostRule], name: Callable[[Facts], str]) -> Condition:
    """Return the condition that any of `rules` accepts a name."""
    return Condition(key, listed(rules), lambda facts: any_host(rules, name(facts)), name)


def network_condition(key: str, networks: Sequence[str], address: Callable[[Facts], str]) -> Condition:
    """Return the condition that any of `networks` contains an address. Raises ValueError."""
    found = Networks(networks)
    return Condition(key, listed(networks), lambda facts: found.contains(address(facts)), address)


def listed(rules: Iterable[object]) -> str:
    """Return `rules` as text."""
    return " | ".join(map(str, rules))
