"""Sticky cookies of one name on one host: each pool replaces the cookie of the other, and both lose their clients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adc.config.coverage import covers_host
from adc.config.errors import Path
from adc.config.model.config import Config
from adc.config.model.match import HostRule
from adc.config.model.persistence import CookiePersistence
from adc.config.units import quote

Finding = tuple[Path, str]

MOST_COMPARED = 1000
"""Host rules that one rule is compared with at most."""

_Host = HostRule | None
"""None: any host."""

_Jar = tuple[str, str | None, str]
"""Name, domain and path: a client keeps one cookie for each."""


def shared_cookies(config: Config) -> Iterator[Finding]:
    """Yield each pool whose explicit cookie name an earlier pool uses on the same host."""
    hosts = _hosts_of_pools(config)
    named: dict[_Jar, _Taken] = {}
    for name, pool in config.pools.items():
        cookie = pool.persistence.cookie if pool.persistence else None
        if cookie is None or cookie.name is None or name not in hosts:
            continue
        earlier = named.setdefault(_jar(cookie), _Taken()).add(name, hosts[name])
        if earlier is not None:
            yield (
                ("pools", name, "persistence", "cookie", "name"),
                (
                    f"pools {quote(earlier)} and {quote(name)} serve one host and both use the sticky cookie "
                    f"{quote(cookie.name)}: each replaces the other one; name them differently or leave name out"
                ),
            )


def _jar(cookie: CookiePersistence) -> _Jar:
    if cookie.mode == "insert":
        return (cookie.name or "", cookie.domain, cookie.path)
    return (cookie.name or "", None, "/")  # the application sets domain and path


class _Taken:
    """The hosts of the pools that share one cookie."""

    def __init__(self) -> None:
        self._exact: dict[str, str] = {}
        self._general: list[tuple[_Host, str]] = []

    def add(self, pool: str, hosts: Sequence[_Host]) -> str | None:
        """Add the hosts of `pool`; return an earlier pool that serves one of them."""
        found = next(filter(None, map(self._user, hosts)), None)
        for host in hosts:
            if host is not None and host.exact is not None:
                self._exact.setdefault(host.exact.lower(), pool)
            else:
                self._general.append((host, pool))
        return found

    def _user(self, host: _Host) -> str | None:
        exact = None if host is None else host.exact
        if exact is not None and exact.lower() in self._exact:
            return self._exact[exact.lower()]
        named = self._general
        if exact is None:
            named = [*named, *((HostRule(exact=name), pool) for name, pool in self._exact.items())]
        return next((pool for other, pool in named[:MOST_COMPARED] if _overlap(host, other)), None)


def _overlap(one: _Host, other: _Host) -> bool:
    return one is None or other is None or covers_host(one, other) or covers_host(other, one)


def _hosts_of_pools(config: Config) -> dict[str, list[_Host]]:
    """Return the hosts of the routes to each pool that serves clients."""
    hosts: dict[str, dict[_Host, None]] = {}
    for route in config.routes:
        for pool in [route.pool] if route.pool else route.split or ():
            hosts.setdefault(pool, {}).update(dict.fromkeys(route.match.host or (None,)))
    return {pool: list(rules) for pool, rules in hosts.items()}
