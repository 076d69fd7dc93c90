"""What passes a route's requests to a pool, with only those parts that the pool and the route ask for."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from adc.config.model import policies
from adc.config.model import routes as model
from adc.persistence.table import TablePersistence
from adc.pools.pool import Pool
from adc.pools.retry import RetryBudget, RetryPolicy
from adc.proxy.admission import Admit, TakeTurns
from adc.proxy.forward import Forward
from adc.proxy.hedge import HedgedForward
from adc.proxy.mirror import Mirror
from adc.proxy.passing import ClusterForward, Peers
from adc.proxy.pipeline import Action, Pipeline, Timeouts
from adc.proxy.queue_gate import QueueGate
from adc.proxy.sticky import StickyForward, stick
from adc.runtime.build.persistence import Sticky


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
        self.passed: dict[str, Pipeline] = {}
        self.waiting = {name: QueueGate(pool) for name, pool in pools.items() if pool.queue is not None}

    def build(self, name: str, timeouts: Timeouts, retries: policies.Retries, retry: RetryPolicy) -> Action:
        """Return the action that forwards requests to the pool `name`."""
        pool = self._pools[name]
        forward = self._forward(name, timeouts, retries, retry)
        action: Action = forward
        if name in self.waiting:
            forward.waiting = self.waiting[name]
            action = TakeTurns(pool, forward.waiting, forward)
        if pool.breaker is not None:
            action = Admit(pool, pool.breaker, forward, action)
        if isinstance(forward, ClusterForward):
            arrived = Pipeline(f"{name} (passed)", action, timeouts=timeouts, response_stages=(stick,))
            self.passed.setdefault(name, arrived)
        return action

    def mirror(self, route: model.Route, timeouts: Timeouts, following: Action) -> Mirror | None:
        """Return the mirror for requests of `route`, None without one."""
        if route.mirror is None:
            return None
        retries = policies.Retries(attempts=0)
        start = self.build(route.mirror.pool, timeouts, retries, RetryPolicy(0))
        pipeline = Pipeline(f"{route.name} (mirror)", start, timeouts=timeouts)
        return Mirror(pipeline, route.mirror.percent, self._rng.random, following)

    def _forward(
        self, name: str, timeouts: Timeouts, retries: policies.Retries, retry: RetryPolicy
    ) -> Forward:
        pool, sticky, hedge = self._pools[name], self._sticky.get(name), retries.hedge
        if sticky is not None:  # whose clients belong to one member: there is nobody else to ask
            if self._peers is not None and isinstance(sticky.persistence, TablePersistence):
                return ClusterForward(
                    pool,
                    timeouts,
                    retry,
                    sticky.persistence,
                    sticky.stickiness,
                    self._peers,
                )
            return StickyForward(pool, timeouts, retry, sticky.persistence, sticky.stickiness)
        if hedge is not None:
            return HedgedForward(pool, timeouts, retry, hedge.after, hedge.attempts)
        return Forward(pool, timeouts, retry)


def retry_policy(retries: policies.Retries) -> RetryPolicy:
    """Return the retry policy of one route."""
    return RetryPolicy(retries.attempts, retries.on, RetryBudget(retries.budget))
