"""A rule: conditions on a request, and a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from adc.routing.condition import Condition
from adc.routing.hosts import HostRule
from adc.routing.paths import PathRule
from adc.routing.values import ValueRule

T = TypeVar("T")


@dataclass(frozen=True)
class Match:
    """Conditions on a request. An empty key has no condition; several keys mean all of them, several rules any of
    them.

    `as_sent`: the path is compared as the client sent it, not in normal form. `method` names are case-sensitive and
    HEAD is not GET. `headers` (names in any case), `query` and `cookies` map a name to its rules; of several values of
    a name one must be accepted. `further` are conditions on anything else.
    `where` is the place of the rule (`file:line`), `places` the places of its keys (`host`, `headers.x-beta`), for
    `Router.explain`.
    """

    host: Sequence[HostRule] = ()
    path: Sequence[PathRule] = ()
    as_sent: bool = False
    method: Sequence[str] = ()
    headers: Mapping[str, Sequence[ValueRule]] = field(default_factory=dict)
    query: Mapping[str, Sequence[ValueRule]] = field(default_factory=dict)
    cookies: Mapping[str, Sequence[ValueRule]] = field(default_factory=dict)
    further: Sequence[Condition] = ()
    where: str = ""
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule(Generic[T]):
    """A match and its value, which is not None."""

    match: Match
    value: T
