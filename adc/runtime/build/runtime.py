"""Everything that one configuration compiles to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING

from adc.config import Config
from adc.config.model.listeners import Listener
from adc.config.model.routes import Route
from adc.http.message import Request
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.pools.shared_load import SharedLoads
from adc.proxy.caching.cache_stage import CacheStage
from adc.proxy.caching.store import SharedStore
from adc.proxy.exchange import Exchange
from adc.proxy.pipeline import Pipeline
from adc.proxy.upstream.passing import Peers
from adc.proxy.upstream.queue_gate import QueueGate
from adc.routing.match import Rule
from adc.routing.router import Router
from adc.routing.settle import OFF
from adc.runtime.build.cache_options import NO_STORES
from adc.runtime.build.cluster import CLUSTER, finder
from adc.runtime.build.error_pages import RoutePages
from adc.runtime.build.matches import Where, compile_match, nowhere
from adc.runtime.build.persistence import NO_STICKY, Sticky
from adc.runtime.build.pools import build_pool
from adc.runtime.build.routes import RouteBuilder
from adc.runtime.build.tls import build_member_tls, build_server_tls, build_stream_tls
from adc.runtime.build.turns import SharedTurns
from adc.runtime.errors import BuildError
from adc.runtime.plugins import Plugins, plugin_uses

if TYPE_CHECKING:
    from adc.smtp.auth import Authenticator

Find = Callable[[Request], Pipeline[Exchange] | None]


OWN_TURNS = SharedTurns()


class Runtime:
    """Pools, pipelines and routers of `config`; nothing of it serves yet. Raises BuildError."""

    def __init__(
        self,
        config: Config,
        rng: Random,
        sticky: Mapping[str, Sticky] = NO_STICKY,
        stores: Mapping[str, SharedStore] = NO_STORES,
        peers: Peers | None = None,
        turns: SharedTurns = OWN_TURNS,
        loads: SharedLoads | None = None,
        plugins: Plugins | None = None,
    ) -> None:
        self.config = config
        self.sticky = sticky
        self.pools: Mapping[str, Pool] = {
            name: build_pool(name, pool, rng, worker_count(config), turns.of(name), loads)
            for name, pool in config.pools.items()
        }
        self.plugins = Plugins(plugin_uses(config)) if plugins is None else plugins
        pages = RoutePages(config)
        self.replies = pages.common
        secure_pools = [name for name, pool in config.pools.items() if pool.tls is not None]
        builder = RouteBuilder(
            self.pools, rng, self.plugins.chains, sticky, stores, peers, pages, secure_pools
        )
        self.pipelines = [builder.build(route) for route in config.routes]
        self.cache_stages: Mapping[str, CacheStage] = builder.cache_stages
        self.waiting: Mapping[str, QueueGate] = builder.forwards.waiting
        self.finders = _finders(config, self.pipelines)
        self.finders[CLUSTER] = finder(builder.forwards.passed)
        self.server_tls = build_server_tls(config)
        self.member_tls = build_member_tls(config)
        self.stream_tls = build_stream_tls(config)
        self.mail_auth = _mail_auth(config)

    def adopt(self, previous: Runtime, now: float) -> list[Member]:
        """Adopt counters and members of the previous runtime; return the removed members."""
        counters = {pipeline.name: pipeline.counters for pipeline in previous.pipelines}
        for pipeline in self.pipelines:
            known = counters.get(pipeline.name)
            if known is not None:
                pipeline.counters.mirrored = (
                    known.mirrored
                )  # the mirror counts in the ones that it was made with
                pipeline.counters = known
        self.plugins.adopt(previous.plugins)
        gone: list[Member] = []
        for name, pool in previous.pools.items():
            successor = self.pools.get(name)
            if successor is None:
                gone += pool.members
                continue
            checked = self.config.pools[name].health.active is not None
            gone += successor.adopt(pool, now, checked=checked)
        return gone


def _mail_auth(config: Config) -> dict[str, Authenticator]:
    """Return what verifies the clients of smtp listeners, by listener. Raises BuildError."""
    found: dict[str, Authenticator] = {}
    for listener in config.listeners:
        if listener.smtp is not None and listener.smtp.auth is not None:
            from adc.runtime.build.smtp import authenticator

            try:
                verifier = authenticator(listener.smtp)
            except (OSError, ValueError) as error:
                raise BuildError(f"listener {listener.name}: smtp.auth: {error}") from None
            if verifier is not None:
                found[listener.name] = verifier
    return found


def worker_count(config: Config) -> int:
    """Return the number of workers that share a pool's limits; the supervisor writes it into their configuration."""
    return config.workers if isinstance(config.workers, int) and config.workers else 1


def rules_of(config: Config, listener: Listener, where: Where = nowhere) -> list[Rule[Route]]:
    """Return the routes that `listener` uses, in file order, with their conditions. Raises BuildError."""
    rules = []
    for number, route in enumerate(config.routes):
        if route.listeners and listener.name not in route.listeners:
            continue
        try:
            as_sent = route.normalize == OFF
            rules.append(Rule(compile_match(route.match, ("routes", number), where, as_sent), route))
        except ValueError as error:
            raise BuildError(f"route {route.name}: {error}") from error
    return rules


def _finders(config: Config, pipelines: Sequence[Pipeline[Exchange]]) -> dict[str, Find]:
    """Return a compiled search per listener; listeners with the same routes share one."""
    by_name = {pipeline.name: pipeline for pipeline in pipelines}
    shared: dict[tuple[str, ...], Find] = {}
    finders: dict[str, Find] = {}
    for listener in config.listeners:
        rules = [Rule(rule.match, by_name[rule.value.name]) for rule in rules_of(config, listener)]
        key = tuple(rule.value.name for rule in rules)
        finders[listener.name] = shared.setdefault(key, Router(rules).find)
    return finders
