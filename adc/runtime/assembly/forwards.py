"""What passes a route's requests to a pool, with only those parts that the pool and the route ask for."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from adc.config.model import policies
from adc.config.model import routes as model
from adc.persistence.table import TablePersistence
from adc.pools.pool import Pool
from adc.pools.retry import RetryBudget, RetryPolicy
from adc.proxy.exchange import Exchange
from adc.proxy.pipeline import Action, Pipeline, RouteCounters
from adc.proxy.timeouts import Timeouts
from adc.proxy.upstream.admission import Admit, TakeTurns
from adc.proxy.upstream.choice import Balanced, Choice
from adc.proxy.upstream.forward import Forward
from adc.proxy.upstream.launch import Launch, Single
from adc.proxy.upstream.mirror import Mirror
from adc.proxy.upstream.passing import ClusterChoice, Peers
from adc.proxy.upstream.queue_gate import QueueGate
from adc.proxy.upstream.race import Raced
from adc.proxy.upstream.request import UpstreamRequest
from adc.proxy.upstream.stick import stick
from adc.proxy.upstream.sticky import StickyChoice
from adc.runtime.assembly.persistence import Sticky


class ForwardBuilder:
    """Builds the actions that end at the pools of one configuration. Raises ValueError."""

    def __init__(
        self,
        pools: Mapping[str, Pool],
        sticky: Mapping[str, Sticky],
        rng: Random,
        peers: Peers | None,
    ) -> None:
        self._pools = pools
        self._sticky = sticky
        self._rng = rng
        self._peers = peers
        self.passed: dict[str, Pipeline[Exchange]] = {}
        self.waiting = {name: QueueGate(pool) for name, pool in pools.items() if pool.queue is not None}

    def build(
        self, name: str, timeouts: Timeouts, retries: policies.Retries, retry: RetryPolicy
    ) -> Action[UpstreamRequest]:
        """Return the action that forwards requests to the pool `name`."""
        pool = self._pools[name]
        choice = self._choice(name, timeouts)
        forward = Forward(choice, _launch(retries), timeouts, retry)
        action: Action[UpstreamRequest] = forward.start
        if name in self.waiting:
            forward.queue = self.waiting[name]
            action = TakeTurns(pool, forward.queue, forward)
        if pool.breaker is not None:
            action = Admit(pool, pool.breaker, forward, action)
        if isinstance(choice, ClusterChoice):
            arrived: Pipeline[Exchange] = Pipeline(
                f"{name} (passed)", action, timeouts=timeouts, response_stages=(stick,)
            )
            self.passed.setdefault(name, arrived)
        return action

    def mirror(
        self,
        route: model.Route,
        timeouts: Timeouts,
        following: Action[UpstreamRequest],
        counters: RouteCounters,
    ) -> Mirror | None:
        """Return the mirror for requests of `route`, None without one."""
        if route.mirror is None:
            return None
        retries = policies.Retries(attempts=0)
        copies = self.build(route.mirror.pool, timeouts, retries, RetryPolicy(0))
        written = route.mirror
        return Mirror(
            copies,
            timeouts,
            written.percent,
            self._rng.random,
            following,
            route.name,
            written.compare,
            counters,
        )

    def _choice(self, name: str, timeouts: Timeouts) -> Choice:
        pool, sticky = self._pools[name], self._sticky.get(name)
        if sticky is None:
            return Balanced(pool)
        persistence, stickiness = sticky.persistence, sticky.stickiness
        if self._peers is not None and isinstance(persistence, TablePersistence):
            return ClusterChoice(pool, persistence, stickiness, self._peers, timeouts)
        return StickyChoice(pool, persistence, stickiness)


def _launch(retries: policies.Retries) -> Launch:
    return Single() if retries.hedge is None else Raced(retries.hedge.after, retries.hedge.attempts)


def retry_policy(retries: policies.Retries) -> RetryPolicy:
    """Return the retry policy of one route."""
    return RetryPolicy(retries.attempts, retries.on, RetryBudget(retries.budget))
