"""`match` of a route as the router's conditions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adc.config.model import match as model
from adc.routing.condition import Condition, name_condition, network_condition
from adc.routing.hosts import HostRule, host_rule
from adc.routing.match import Match
from adc.routing.paths import PathPrefix, PathRule, any_case, path_exact, path_prefix
from adc.routing.values import Exact, Prefix, Present, Regex, ValueRule

Where = Callable[[tuple[str | int, ...]], str]
"""The place (`file:line`) of a value of the configuration, for explanations."""


def nowhere(path: tuple[str | int, ...]) -> str:
    """Return no places: a serving runtime never explains."""
    return ""


def compile_match(
    match: model.Match, path: tuple[str | int, ...] = (), where: Where = nowhere, as_sent: bool = False
) -> Match:
    """Return the conditions of a route at `path` in the configuration; `as_sent`: its paths are not normalised. Raises
    ValueError."""
    found = (compile_condition(match) for compile_condition in FURTHER)
    further = [condition for condition in found if condition is not None]
    return Match(
        host=_hosts(match.host),
        path=[path_rule(rule) for rule in match.path],
        as_sent=as_sent,
        method=match.method,
        headers={name: _values(rules) for name, rules in match.headers.items()},
        query={name: _values(rules) for name, rules in match.query.items()},
        cookies={name: _values(rules) for name, rules in match.cookies.items()},
        further=further,
        where=where(path),
        places={} if where is nowhere else _places(match, further, (*path, "match"), where),
    )


def _sni(match: model.Match) -> Condition | None:
    rules = _hosts(match.tls.sni)
    return name_condition("tls.sni", rules, lambda facts: facts.request.client.sni) if rules else None


def _source(match: model.Match) -> Condition | None:
    networks = [str(network) for network in match.source]
    return network_condition("source", networks, lambda facts: facts.request.source) if networks else None


FURTHER: Sequence[Callable[[model.Match], Condition | None]] = (_sni, _source)
"""Further conditions of a route, in the order of their tests: None where the route has none. The key of each is its
path in `match`.
"""


def _places(
    match: model.Match, further: Sequence[Condition], path: tuple[str | int, ...], where: Where
) -> dict[str, str]:
    """Return the places of the keys by the names that `Router.explain` gives them: `host`, `headers.x-beta`."""
    keys: dict[str, tuple[str, ...]] = {key: (key,) for key in ("host", "path", "method")}
    keys |= {condition.key: tuple(condition.key.split(".")) for condition in further}
    for group in ("headers", "query", "cookies"):
        keys |= {f"{group}.{name}": (group, name) for name in getattr(match, group)}
    return {name: where((*path, *steps)) for name, steps in keys.items()}


def _hosts(rules: Sequence[model.HostRule]) -> list[HostRule]:
    return [
        Regex(rule.regex) if rule.regex is not None else host_rule(rule.exact or rule.wildcard or "")
        for rule in rules
    ]


def path_rule(rule: model.PathRule) -> PathRule:
    """Return a rule about the path. Raises ValueError."""
    found: Exact | PathPrefix | Regex
    if rule.regex is not None:
        found = Regex(rule.regex)
    else:
        found = path_prefix(rule.prefix) if rule.prefix is not None else path_exact(rule.exact or "")
    return any_case(found) if rule.ignore_case else found


def _values(rules: Sequence[model.TextRule]) -> list[ValueRule]:
    return [_value(rule) for rule in rules]


def _value(rule: model.TextRule) -> ValueRule:
    if rule.regex is not None:
        return Regex(rule.regex)
    if rule.prefix is not None:
        return Prefix(rule.prefix)
    if rule.present is not None:
        return Present(rule.present)
    return Exact(rule.exact or "")
