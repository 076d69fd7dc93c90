"""Coverage of one match by another one. Errs on the side of "no"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from adc.config.model.match import HostRule, Match, PathRule, TextRule
from adc.config.model.types import Network
from adc.http.patterns import Pattern
from adc.routing.hosts import Wildcard, host_rule
from adc.routing.paths import PathPrefix, any_case, path_exact, path_prefix
from adc.routing.paths import PathRule as CompiledPath
from adc.routing.values import Exact, Regex

Rule = TypeVar("Rule")

_COMPARED = {"host", "path", "method", "headers", "query", "cookies", "source", "tls"}
_OTHER_KEYS = tuple(key for key in Match.model_fields if key not in _COMPARED)

CACHED = 50_000
"""Compiled rules kept."""


def covers(wide: Match, narrow: Match) -> bool:
    """True if `wide` matches every request that `narrow` matches."""
    return (
        _any_of(wide.host, narrow.host, covers_host)
        and _any_of(wide.path, narrow.path, covers_path)
        and _any_of(wide.method, narrow.method, str.__eq__)
        and _fields(wide.headers, narrow.headers)
        and _fields(wide.query, narrow.query)
        and _fields(wide.cookies, narrow.cookies)
        and _any_of(wide.source, narrow.source, _covers_network)
        and _any_of(wide.tls.sni, narrow.tls.sni, covers_host)
        and all(_same_or_none(wide, narrow, key) for key in _OTHER_KEYS)
    )


def _same_or_none(wide: Match, narrow: Match, key: str) -> bool:
    """True if `wide` has no condition `key`, or the same one as `narrow`."""
    return getattr(wide, key) in (Match.model_fields[key].default, getattr(narrow, key))


def _any_of(wide: Sequence[Rule], narrow: Sequence[Rule], covered: Callable[[Rule, Rule], bool]) -> bool:
    """True if the rules of one key cover the others: no rule accepts everything, several accept what any of them
    accepts."""
    if not wide:
        return True
    return bool(narrow) and all(any(covered(w, n) for w in wide) for n in narrow)


def _fields(wide: Mapping[str, Sequence[TextRule]], narrow: Mapping[str, Sequence[TextRule]]) -> bool:
    """True if `narrow` has a condition on each name of `wide`, and no weaker one."""
    return all(name in narrow and _any_of(rules, narrow[name], _covers_text) for name, rules in wide.items())


def covers_host(wide: HostRule, narrow: HostRule) -> bool:
    if narrow.exact is not None:
        return _host(wide).accepts(str(_host(narrow)))
    if narrow.wildcard is not None and wide.wildcard is not None:
        return str(_host(narrow)).endswith(str(_host(wide))[1:])
    return wide == narrow


def covers_path(wide: PathRule, narrow: PathRule) -> bool:
    if wide == narrow:
        return True
    if narrow.ignore_case and not wide.ignore_case:
        return False
    if narrow.exact is not None:
        return _path(wide).accepts(path_exact(narrow.exact).text)
    if narrow.prefix is not None and wide.prefix is not None:
        return _path(wide).accepts(path_prefix(narrow.prefix).text)
    return False


@lru_cache(maxsize=CACHED)
def _host(rule: HostRule) -> Exact | Wildcard | Regex:
    return Regex(rule.regex) if rule.regex is not None else host_rule(rule.exact or rule.wildcard or "")


@lru_cache(maxsize=CACHED)
def _path(rule: PathRule) -> CompiledPath:
    found: Exact | PathPrefix | Regex
    if rule.regex is not None:
        found = Regex(rule.regex)
    else:
        found = path_exact(rule.exact) if rule.exact is not None else path_prefix(rule.prefix or "/")
    return any_case(found) if rule.ignore_case else found


@lru_cache(maxsize=CACHED)
def _pattern(text: str) -> Pattern:
    return Pattern(text)


def _covers_text(wide: TextRule, narrow: TextRule) -> bool:
    if wide == narrow:
        return True
    if wide.present is not None:
        return wide.present and narrow.present is None
    if narrow.exact is not None and wide.regex is not None:
        return _pattern(wide.regex).found_in(narrow.exact)
    if wide.prefix is not None:
        return (narrow.exact or narrow.prefix or "").startswith(wide.prefix)
    return False


def _covers_network(wide: Network, narrow: Network) -> bool:
    if wide.version != narrow.version or wide.prefixlen > narrow.prefixlen:
        return False
    return narrow.supernet(new_prefix=wide.prefixlen) == wide
