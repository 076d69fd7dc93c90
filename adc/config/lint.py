"""Probable mistakes in a valid configuration."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPMethod

from adc.config.check_kinds import foreign_checks
from adc.config.coverage import covers
from adc.config.errors import Path
from adc.config.kernel_path import doubtful_expiry
from adc.config.mail_lint import doubtful_mail_routes
from adc.config.model.config import Config
from adc.config.model.match import PathRule
from adc.config.model.pools import Pool
from adc.config.model.routes import Route
from adc.config.pool_users import pool_users
from adc.config.shared_cookies import shared_cookies
from adc.config.silent_expiry import powerless_silence
from adc.config.table_sizes import oversized_tables
from adc.config.units import quote
from adc.routing.paths import path_exact

Finding = tuple[Path, str]

MOST_COMPARED = 1000
"""Most earlier routes that one route is compared with."""


def doubtful(config: Config) -> Iterator[Finding]:
    """Yield routes (also of mail) that never match, methods in lower case, pools without routes, members listed twice,
    what pools share too little of, what the kernel or workers cannot do at the end of a flow, and checks of another
    protocol.
    """
    if config.routes and all(listener.protocol != "http" for listener in config.listeners):
        yield ("routes",), "no request reaches the routes: no listener has protocol: http"
    yield from _unreachable(config.routes)
    yield from _lower_case_methods(config.routes)
    yield from shared_cookies(config)
    yield from oversized_tables(config)
    yield from doubtful_expiry(config)
    yield from powerless_silence(config)
    yield from foreign_checks(config)
    yield from doubtful_mail_routes(config)
    users = pool_users(config)
    for name, pool in config.pools.items():
        if not users[name]:
            yield ("pools", name), f"pool {quote(name)} is used by no route and no listener"
        yield from _listed_twice(name, pool)


def _lower_case_methods(routes: tuple[Route, ...]) -> Iterator[Finding]:
    for place, route in enumerate(routes):
        for method in route.match.method:
            if method.upper() in HTTPMethod.__members__ and method not in HTTPMethod.__members__:
                text = f"{quote(method)} is not {method.upper()}: methods are compared with their case"
                yield ("routes", place, "match", "method"), text


def _unreachable(routes: tuple[Route, ...]) -> Iterator[Finding]:
    earlier = _Earlier()
    for place, route in enumerate(routes):
        for before in earlier.candidates(route):
            if _takes_all(routes[before], route):
                yield ("routes", place), _covered(route.name, before, routes[before].name)
                break
        earlier.add(place, route)


def _covered(name: str, place: int, earlier: str) -> str:
    taker = f"route {quote(earlier)} (routes[{place}])"
    return f"route {quote(name)} can never match: {taker} comes before it and matches all its requests"


def _takes_all(wide: Route, narrow: Route) -> bool:
    """True if `wide` takes every request that `narrow` would."""
    same_paths = not wide.match.path or (wide.normalize == "off") == (narrow.normalize == "off")
    return same_paths and _all_listeners(wide, narrow) and covers(wide.match, narrow.match)


def _all_listeners(wide: Route, narrow: Route) -> bool:
    return not wide.listeners or (bool(narrow.listeners) and set(narrow.listeners) <= set(wide.listeners))


class _Earlier:
    """Routes by host and first path segment, so that not every pair of thousands is compared."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], list[int]] = {}

    def add(self, place: int, route: Route) -> None:
        for key in _keys(route):
            self._routes.setdefault(key, []).append(place)

    def candidates(self, route: Route) -> list[int]:
        """Return places of earlier routes that may match everything `route` matches, in order."""
        host, segment = _keys(route)[0]
        found = {
            place
            for host_key in {host, ""}
            for segment_key in {segment, ""}
            for place in self._routes.get((host_key, segment_key), ())
        }
        return sorted(found)[:MOST_COMPARED]


def _keys(route: Route) -> list[tuple[str, str]]:
    """Return pairs of an exact host and a first path segment; empty where a rule may take several."""
    hosts = [rule.exact or "" for rule in route.match.host] or [""]
    paths = [_segment(rule) for rule in route.match.path] or [""]
    if len(hosts) * len(paths) > MOST_COMPARED:
        return [("", "")]
    return [(host, path) for host in dict.fromkeys(hosts) for path in dict.fromkeys(paths)]


def _segment(rule: PathRule) -> str:
    text = rule.exact if rule.exact is not None else rule.prefix
    if text is None or rule.ignore_case:
        return ""
    return path_exact(text).text.strip("/").partition("/")[0]


def _listed_twice(name: str, pool: Pool) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for place, member in enumerate(pool.members):
        text = member.address.text
        if text in first:
            at = f"pools.{name}.members[{first[text]}]"
            yield ("pools", name, "members", place), f"member {text} is listed twice; the first is {at}"
        first.setdefault(text, place)
