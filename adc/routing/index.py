"""The compiled index: finds the rules that can match a host and a path by look-ups instead of trials.

A candidate is a rule's number (its place in file order), its remaining conditions, and its value. A bucket holds
candidates in rule order. A path leads to few buckets (its exact one, the ones of the prefixes above it, and the one of
rules that the index cannot place); the lowest number whose conditions hold wins.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar

from adc.routing.condition import Facts
from adc.routing.conditions import further_conditions, host_condition, path_condition, test_all
from adc.routing.hosts import Wildcard
from adc.routing.match import Match, Rule
from adc.routing.paths import PathPrefix
from adc.routing.values import Exact, Regex

T = TypeVar("T")
Test = Callable[[Facts], bool]
Candidate = tuple[int, Test | None, T]
Bucket = tuple[Candidate[T], ...]


class Lookup(Generic[T]):
    """Finds the buckets of a path."""

    __slots__ = ()

    @abstractmethod
    def buckets(self, path: str) -> tuple[Bucket[T], ...]:
        """Return the buckets that hold the candidates of `path`."""


_FEW: Final = 4
"""Prefixes that are tried one after the other: with more, looking up the parts of a path is quicker."""


class PathIndex(Generic[T]):
    """The rules of one host pattern, by path."""

    __slots__ = ("_anywhere", "_exact", "_prefixes")

    def __init__(self) -> None:
        self._exact: dict[str, list[Candidate[T]]] = {}
        self._prefixes: dict[str, list[Candidate[T]]] = {}
        self._anywhere: list[Candidate[T]] = []

    @property
    def empty(self) -> bool:
        return not (self._exact or self._prefixes or self._anywhere)

    def add(self, match: Match, candidate: Candidate[T]) -> None:
        """Take the next rule in order."""
        if not match.path or _is_tested(match):
            self._anywhere.append(candidate)
            return
        for rule in match.path:
            if isinstance(rule, Exact):
                self._exact.setdefault(rule.text, []).append(candidate)
                continue
            if not isinstance(rule, PathPrefix):
                continue
            if not rule.text.endswith("/"):
                self._exact.setdefault(rule.text, []).append(candidate)
            self._prefixes.setdefault(f"{rule.text.rstrip('/')}/", []).append(candidate)

    def compile(self) -> Lookup[T]:
        """Return the search in the rules that were added."""
        exact = {path: self._buckets(path, self._exact[path]) for path in self._exact}
        prefixes = {path: self._buckets(path) for path in self._prefixes}
        # Every path begins with "/" except the "*" of OPTIONS, so a prefix "/" needs no look-up.
        elsewhere = prefixes.pop("/", None) or _frozen([self._anywhere])
        exact.setdefault("*", _frozen([self._anywhere]))
        if not prefixes:
            return _ByPath(exact, elsewhere)
        by_prefix = _ByPrefix if len(prefixes) > _FEW else _ByFewPrefixes
        return by_prefix(exact, prefixes, elsewhere)

    def _buckets(self, path: str, own: Sequence[Candidate[T]] = ()) -> tuple[Bucket[T], ...]:
        above = [self._prefixes.get(prefix, ()) for prefix in _prefixes_of(path)]
        return _frozen([own, *reversed(above), self._anywhere])


class HostIndex(Generic[T]):
    """All rules, by host, then by path."""

    def __init__(self, rules: Iterable[Rule[T]]) -> None:
        self._exact: dict[str, PathIndex[T]] = {}
        self._wildcards: dict[str, PathIndex[T]] = {}
        self._anywhere: PathIndex[T] = PathIndex()
        for number, rule in enumerate(rules):
            match = rule.match
            candidate = (number, _remaining_test(match), rule.value)
            for index in self._places(match):
                index.add(match, candidate)

    def _places(self, match: Match) -> list[PathIndex[T]]:
        if not match.host or _has_regex(match.host):
            return [self._anywhere]
        places = []
        for rule in match.host:
            if isinstance(rule, Wildcard):
                places.append(self._wildcards.setdefault(rule.domain, PathIndex()))
            elif isinstance(rule, Exact):
                places.append(self._exact.setdefault(rule.text, PathIndex()))
        return places

    def compile(self) -> tuple[dict[str, Lookup[T]], dict[str, Lookup[T]], Lookup[T]]:
        """Return look-ups for each known host, for hosts below a known domain (longest first), and for all others."""
        anywhere = self._anywhere.compile()
        wildcards = {domain: index.compile() for domain, index in self._wildcards.items()}

        def joined(own: Lookup[T], host: str) -> Lookup[T]:
            for domain in domains_of(host):
                if domain in wildcards:
                    own = _Joined(own, wildcards[domain])
            return own if self._anywhere.empty else _Joined(own, anywhere)

        hosts = {host: joined(index.compile(), host) for host, index in self._exact.items()}
        below = {domain: joined(lookup, domain) for domain, lookup in wildcards.items()}
        return hosts, below, anywhere


def domains_of(host: str) -> Iterable[str]:
    """Return the domains that `host` lies below, longest first."""
    _, _, rest = host.partition(".")
    while rest:
        yield rest
        _, _, rest = rest.partition(".")


def _has_regex(rules: Sequence[object]) -> bool:
    return any(isinstance(rule, Regex) for rule in rules)


def _is_tested(match: Match) -> bool:
    """True if the index cannot place the paths of `match`: they are tested rule by rule."""
    return match.as_sent or any(not isinstance(rule, Exact | PathPrefix) for rule in match.path)


def _remaining_test(match: Match) -> Test | None:
    """Return a test of the conditions that a rule's place in the index leaves open."""
    parts = list(further_conditions(match))
    if match.path and _is_tested(match):
        parts.insert(0, path_condition(match))
    if _has_regex(match.host):
        parts.insert(0, host_condition(match))
    return test_all(parts)


def _prefixes_of(path: str) -> list[str]:
    """Return the prefixes of a path: `/` and `/a/` of `/a/b`."""
    return [path[: at + 1] for at, character in enumerate(path) if character == "/"]


def _frozen(buckets: Iterable[Sequence[Candidate[T]]]) -> tuple[Bucket[T], ...]:
    """Return buckets as tuples, without candidates that an unconditional candidate of another bucket precedes."""
    filled = [tuple(bucket) for bucket in buckets if bucket]
    first_certain = min(
        (number for bucket in filled for number, test, _ in bucket if test is None), default=None
    )
    return tuple(bucket for bucket in filled if first_certain is None or bucket[0][0] <= first_certain)


class _Joined(Lookup[T]):
    __slots__ = ("_first", "_second")

    def __init__(self, first: Lookup[T], second: Lookup[T]) -> None:
        self._first = first
        self._second = second

    def buckets(self, path: str) -> tuple[Bucket[T], ...]:
        first, second = self._first.buckets(path), self._second.buckets(path)
        if not first:
            return second
        return first + second if second else first


class _ByPath(Lookup[T]):
    __slots__ = ("_elsewhere", "_exact")

    def __init__(self, exact: dict[str, tuple[Bucket[T], ...]], elsewhere: tuple[Bucket[T], ...]) -> None:
        self._exact = exact
        self._elsewhere = elsewhere

    def buckets(self, path: str) -> tuple[Bucket[T], ...]:
        return self._exact.get(path, self._elsewhere)


class _ByFewPrefixes(_ByPath[T]):
    __slots__ = ("_prefixes",)

    def __init__(
        self,
        exact: dict[str, tuple[Bucket[T], ...]],
        prefixes: dict[str, tuple[Bucket[T], ...]],
        elsewhere: tuple[Bucket[T], ...],
    ) -> None:
        super().__init__(exact, elsewhere)
        self._prefixes = sorted(prefixes.items(), key=lambda item: len(item[0]), reverse=True)

    def buckets(self, path: str) -> tuple[Bucket[T], ...]:
        found = self._exact.get(path)
        if found is not None:
            return found
        for prefix, buckets in self._prefixes:  # the longest one wins
            if path.startswith(prefix):
                return buckets
        return self._elsewhere


class _ByPrefix(_ByPath[T]):
    __slots__ = ("_deepest", "_prefixes")

    def __init__(
        self,
        exact: dict[str, tuple[Bucket[T], ...]],
        prefixes: dict[str, tuple[Bucket[T], ...]],
        elsewhere: tuple[Bucket[T], ...],
    ) -> None:
        super().__init__(exact, elsewhere)
        self._prefixes = prefixes
        self._deepest = max(prefix.count("/") for prefix in prefixes) - 1

    def buckets(self, path: str) -> tuple[Bucket[T], ...]:
        found = self._exact.get(path)
        if found is not None:
            return found
        found = self._elsewhere
        prefixes = self._prefixes
        end = 1
        # The longest prefix wins, and no path is walked deeper than the rules go.
        for _ in range(self._deepest):
            end = path.find("/", end) + 1
            if not end:
                break
            found = prefixes.get(path[:end], found)
        return found
