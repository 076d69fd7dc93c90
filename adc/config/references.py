"""Names that one part of a configuration uses and another one gives, in data that may hold other errors."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from adc.config.errors import Path
from adc.config.model.firewall import is_network
from adc.config.model.policies import DEFAULT_STORE
from adc.config.model.types import listed
from adc.config.units import quote

Finding = tuple[Path, str]


def unresolved(data: Any) -> Iterator[Finding]:
    """Yield every name that is used and not defined, and every name defined twice."""
    if not isinstance(data, dict):
        return
    routes = _mappings(data, "routes")
    listeners = _mappings(data, "listeners")
    names = [_name(item, "listener", place) for place, item in listeners]
    yield from _twice("listeners", "listener", listeners)
    yield from _twice("routes", "route", routes)
    pools, caches = _keys(data, "pools"), _keys(data, "caches")
    for place, route in routes:
        yield from _route(("routes", place), route, pools, caches, names)
    for place, listener in listeners:
        yield from _listener(("listeners", place), listener, pools)
        yield from _datagrams(("listeners", place), listener, data.get("pools"))
    yield from _starttls(data, listeners)
    yield from _proxies(data, listeners)
    yield from _cluster(data)
    yield from _shared_sessions(data)
    yield from _firewall(data.get("firewall"), names)
    yield from _expectations(data, [_name(item, "route", place) for place, item in routes], pools, names)


def _route(
    at: Path, route: dict[str, Any], pools: list[str], caches: list[str], listeners: list[str]
) -> Iterator[Finding]:
    yield from _known((*at, "pool"), route.get("pool"), "pool", pools)
    split = route.get("split")
    for pool in split if isinstance(split, dict) else ():
        yield from _known((*at, "split", pool), pool, "pool", pools)
    mirror = route.get("mirror")
    if isinstance(mirror, dict):
        yield from _known((*at, "mirror", "pool"), mirror.get("pool"), "pool", pools)
    else:
        yield from _known((*at, "mirror"), mirror, "pool", pools)
    cache = route.get("cache")
    if isinstance(cache, dict):
        yield from _known((*at, "cache", "store"), cache.get("store"), "cache", [*caches, DEFAULT_STORE])
    else:
        yield from _known((*at, "cache"), cache, "cache", [*caches, DEFAULT_STORE])
    named = route.get("listeners", [])
    for place, name in enumerate(named if isinstance(named, list) else [named]):
        yield from _known((*at, "listeners", place), name, "listener", listeners)


def _listener(at: Path, listener: dict[str, Any], pools: list[str]) -> Iterator[Finding]:
    yield from _known((*at, "pool"), listener.get("pool"), "pool", pools)
    options = listener.get("tcp")
    alpn = options.get("alpn") if isinstance(options, dict) else None
    routes: list[tuple[Path, Any]] = [(("sni",), listener.get("sni")), (("tcp", "alpn"), alpn)]
    for place, named in routes:
        for name, pool in named.items() if isinstance(named, dict) else ():
            yield from _known((*at, *place, name), pool, "pool", pools)
    for place, name in _mail_pools(listener):
        yield from _known((*at, "smtp", *place), name, "pool", pools)


def _mail_pools(listener: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield the pools of an smtp listener and their places in `smtp`."""
    smtp = listener.get("smtp")
    if isinstance(smtp, dict):
        for place, route in _mappings(smtp, "routes"):
            yield ("routes", place, "pool"), route.get("pool")
        auth = smtp.get("auth")
        if isinstance(auth, dict):
            yield ("auth", "pool"), auth.get("pool")


def _starttls(data: dict[str, Any], listeners: list[tuple[int, dict[str, Any]]]) -> Iterator[Finding]:
    """Pools with STARTTLS that carry no mail: traffic of other protocols would not be under TLS as written."""
    mail = [name for _, listener in listeners for _, name in _mail_pools(listener)]
    pools = data.get("pools")
    for name, pool in pools.items() if isinstance(pools, dict) else ():
        tls = pool.get("tls") if isinstance(pool, dict) else None
        if isinstance(tls, dict) and tls.get("starttls") is True and name not in mail:
            yield ("pools", name, "tls", "starttls"), "is for pools of smtp listeners, and none uses this one"


def _datagrams(at: Path, listener: dict[str, Any], pools: Any) -> Iterator[Finding]:
    """Yield the addresses of a udp listener, and its members, that carry no datagrams."""
    pool = pools.get(listener.get("pool")) if isinstance(pools, dict) else None
    members = pool.get("members") if isinstance(pool, dict) else pool
    if listener.get("protocol") != "udp":
        return
    for bind in listed(listener.get("bind", [])):
        if isinstance(bind, str) and bind.startswith("unix:"):
            yield (*at, "bind"), f"{quote(bind)} carries no datagrams; a udp listener binds host:port"
    for member in listed(members):
        address = member.get("address") if isinstance(member, dict) else member
        if isinstance(address, str) and address.startswith("unix:"):
            yield (*at, "pool"), f"has the member {quote(address)}; members of a udp listener are host:port"


def _proxies(data: dict[str, Any], listeners: list[tuple[int, dict[str, Any]]]) -> Iterator[Finding]:
    for place, listener in listeners:
        trusted = listener.get("trusted_proxies", data.get("trusted_proxies"))
        written = listener.get("proxy_protocol")
        if (written is True or written == {}) and not trusted:
            yield (
                ("listeners", place, "proxy_protocol"),
                "nobody may send it: write {from: [NETWORKS]}, or trusted_proxies",
            )


def _cluster(data: dict[str, Any]) -> Iterator[Finding]:
    state = data.get("state", {})
    backend = state.get("backend") if isinstance(state, dict) else state
    if "cluster" in data and backend != "redis":
        yield (
            ("cluster",),
            "a cluster shares its tables through redis; write state: {backend: redis, url: redis://...}",
        )


def _shared_sessions(data: dict[str, Any]) -> Iterator[Finding]:
    sessions, cluster = data.get("sessions"), data.get("cluster")
    if not isinstance(sessions, dict) or sessions.get("on_unknown") != "redirect":
        return
    sync = cluster.get("sync") if isinstance(cluster, dict) else None
    shared = isinstance(sync, dict) and sync.get("sessions") is True
    if not shared or not isinstance(cluster, dict) or "advertise" not in cluster:
        yield (
            ("sessions", "on_unknown"),
            "redirect passes datagrams to other nodes: write cluster: {advertise: ADDRESS, sync: {sessions: true}}",
        )


def _firewall(firewall: Any, listeners: list[str]) -> Iterator[Finding]:
    """Yield the sets and listeners that rules of the firewall name and nothing defines."""
    if not isinstance(firewall, dict):
        return
    sets, rules = _keys(firewall, "sets"), _mappings(firewall, "rules")
    for at, message in _twice("rules", "rule", rules):
        yield ("firewall", *at), message
    for place, rule in rules:
        for key in ("source", "destination"):
            for number, word in enumerate(listed(rule.get(key, []))):
                if isinstance(word, str) and word != "any" and not is_network(word):
                    yield from _known(("firewall", "rules", place, key, number), word, "set", sets)
        for number, name in enumerate(listed(rule.get("listener", []))):
            yield from _known(("firewall", "rules", place, "listener", number), name, "listener", listeners)


def _expectations(
    data: dict[str, Any], routes: list[str], pools: list[str], listeners: list[str]
) -> Iterator[Finding]:
    for place, test in _mappings(data, "tests"):
        expect, request = test.get("expect"), test.get("request")
        if isinstance(expect, dict):
            at: Path = ("tests", place, "expect")
            yield from _known((*at, "route"), expect.get("route"), "route", [*routes, "none"])
            yield from _known((*at, "pool"), expect.get("pool"), "pool", pools)
        if isinstance(request, dict):
            at = ("tests", place, "request", "listener")
            yield from _known(at, request.get("listener"), "listener", listeners)


def _known(at: Path, name: Any, kind: str, names: list[str]) -> Iterator[Finding]:
    if not isinstance(name, str) or name in names:
        return
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"did you mean {quote(near[0])}? " if near else ""
    shown = f"Known: {', '.join(sorted(set(names))[:20])}" if names else "none is defined"
    yield at, f"there is no {kind} {quote(name)}; {hint}{shown}"


def _twice(key: str, kind: str, items: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for place, item in items:
        name = _name(item, kind, place)
        first = seen.setdefault(name, place)
        if first != place:
            yield (key, place, "name"), f"{kind} {quote(name)} is defined twice; the first is {key}[{first}]"


def _name(item: dict[str, Any], kind: str, place: int) -> str:
    name = item.get("name", f"{kind}-{place + 1}")
    return name if isinstance(name, str) else f"{kind}-{place + 1}"


def _mappings(data: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    items = data.get(key, [])
    if not isinstance(items, list):
        items = [items]
    return [(place, item) for place, item in enumerate(items) if isinstance(item, dict)]


def _keys(data: dict[str, Any], key: str) -> list[str]:
    found = data.get(key)
    return list(found) if isinstance(found, dict) else []
