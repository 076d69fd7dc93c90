"""Everything that one configuration compiles to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from ssl import SSLContext
from typing import TYPE_CHECKING

from adc.config import Config
from adc.config.model.listeners import Listener
from adc.config.model.routes import Route
from adc.http.message import Request
from adc.net.tls import ServerTls
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.pools.shared_load import SharedLoads
from adc.proxy.caching.cache_stage import CacheStage
from adc.proxy.caching.store import SharedStore
from adc.proxy.exchange import Exchange
from adc.proxy.pipeline import Pipeline
from adc.proxy.replies import Replies
from adc.proxy.upstream.passing import Peers
from adc.proxy.upstream.queue_gate import QueueGate
from adc.routing.match import Rule
from adc.routing.router import Router
from adc.routing.settle import OFF
from adc.runtime.assembly.cache_options import NO_STORES
from adc.runtime.assembly.cluster import CLUSTER, finder
from adc.runtime.assembly.error_pages import RoutePages
from adc.runtime.assembly.matches import Where, compile_match, nowhere
from adc.runtime.assembly.persistence import NO_STICKY, Sticky
from adc.runtime.assembly.pools import build_pool
from adc.runtime.assembly.routes import RouteBuilder
from adc.runtime.assembly.tls import build_member_tls, build_server_tls, build_stream_tls
from adc.runtime.assembly.turns import SharedTurns
from adc.runtime.errors import BuildError
from adc.runtime.plugins import Plugins, plugin_uses
from adc.runtime.steps import Steps

if TYPE_CHECKING:
    from adc.smtp.auth import Authenticator

Find = Callable[[Request], Pipeline[Exchange] | None]


OWN_TURNS = SharedTurns()


@dataclass(slots=True, eq=False)
class Runtime:
    """What serves one configuration. `pipelines` are in the order of their routes; `finders`, `server_tls` and
    `mail_auth` are by listener, `member_tls` and `stream_tls` by pool."""

    config: Config
    sticky: Mapping[str, Sticky]
    pools: Mapping[str, Pool]
    plugins: Plugins
    replies: Replies
    pipelines: Sequence[Pipeline[Exchange]]
    cache_stages: Mapping[str, CacheStage]
    waiting: Mapping[str, QueueGate]
    finders: Mapping[str, Find]
    server_tls: Mapping[str, ServerTls]
    member_tls: Mapping[str, SSLContext]
    stream_tls: Mapping[str, SSLContext]
    mail_auth: Mapping[str, Authenticator]

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


def build_runtime(
    config: Config,
    rng: Random,
    sticky: Mapping[str, Sticky] = NO_STICKY,
    stores: Mapping[str, SharedStore] = NO_STORES,
    peers: Peers | None = None,
    turns: SharedTurns = OWN_TURNS,
    loads: SharedLoads | None = None,
) -> Steps[Runtime]:
    """Build what serves `config`, in steps. Nothing of it serves yet. Raises BuildError."""
    plugins = Plugins(config, (yield from plugin_uses(config)))
    try:
        pools: dict[str, Pool] = {}
        for name, pool in config.pools.items():
            pools[name] = build_pool(name, pool, rng, worker_count(config), turns.of(name), loads)
            yield
        pages = RoutePages(config)
        secure_pools = [name for name, pool in config.pools.items() if pool.tls is not None]
        builder = RouteBuilder(pools, rng, plugins.chains, sticky, stores, peers, pages, secure_pools)
        pipelines = []
        for route in config.routes:
            pipelines.append(builder.build(route))
            yield
        finders = yield from _finders(config, pipelines)
        finders[CLUSTER] = finder(builder.forwards.passed)
        return Runtime(
            config=config,
            sticky=sticky,
            pools=pools,
            plugins=plugins,
            replies=pages.common,
            pipelines=pipelines,
            cache_stages=builder.cache_stages,
            waiting=builder.forwards.waiting,
            finders=finders,
            server_tls=build_server_tls(config),
            member_tls=build_member_tls(config),
            stream_tls=build_stream_tls(config),
            mail_auth=_mail_auth(config),
        )
    except BuildError:
        plugins.discard()
        raise


def _mail_auth(config: Config) -> dict[str, Authenticator]:
    """Return what verifies the clients of smtp listeners, by listener. Raises BuildError."""
    found: dict[str, Authenticator] = {}
    for listener in config.listeners:
        if listener.smtp is not None and listener.smtp.auth is not None:
            from adc.runtime.assembly.smtp import authenticator

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
    return [
        _rule(number, route, where) for number, route in enumerate(config.routes) if _uses(listener, route)
    ]


def _uses(listener: Listener, route: Route) -> bool:
    return not route.listeners or listener.name in route.listeners


def _rule(number: int, route: Route, where: Where = nowhere) -> Rule[Route]:
    try:
        return Rule(compile_match(route.match, ("routes", number), where, route.normalize == OFF), route)
    except ValueError as error:
        raise BuildError(f"route {route.name}: {error}") from error


def _finders(config: Config, pipelines: Sequence[Pipeline[Exchange]]) -> Steps[dict[str, Find]]:
    """Return a compiled search per listener; listeners with the same routes share one."""
    rules = []
    for number, (route, pipeline) in enumerate(zip(config.routes, pipelines, strict=True)):
        rules.append(Rule(_rule(number, route).match, pipeline))
        yield
    shared: dict[tuple[int, ...], Find] = {}
    finders: dict[str, Find] = {}
    for listener in config.listeners:
        numbers = tuple(number for number, route in enumerate(config.routes) if _uses(listener, route))
        if numbers not in shared:
            shared[numbers] = Router([rules[number] for number in numbers]).find
            yield
        finders[listener.name] = shared[numbers]
    return finders
