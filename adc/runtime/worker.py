"""One worker: serves a runtime, swaps it on reload, drains."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from random import SystemRandom
from typing import Any

from adc.config import Config
from adc.firewall.buckets import Buckets
from adc.l4.tcp.pipes import PipePool
from adc.l4.udp.descriptors import UdpDescriptors
from adc.l4.udp.id_memory import IdMemory
from adc.net.batch import Batch
from adc.net.clock import TICK, Clock
from adc.net.reactor import Reactor
from adc.net.share import Share
from adc.net.shared_sources import SharedSources
from adc.pools.member import Member
from adc.pools.shared_load import SharedLoads
from adc.runtime.assembly.folder import cache_folder
from adc.runtime.assembly.persistence import Sticky, build_all, needs_keys, needs_store, open_tables
from adc.runtime.assembly.runtime import OWN_TURNS, Runtime, build_runtime
from adc.runtime.assembly.turns import SharedTurns
from adc.runtime.errors import BuildError
from adc.runtime.operations.cache import PURGE_STORES, Target
from adc.runtime.operations.only_worker import OnlyWorker
from adc.runtime.operations.operation import Operation
from adc.runtime.plugins import Plugins
from adc.runtime.serve.caches import Caches
from adc.runtime.serve.changes import teller
from adc.runtime.serve.cluster import ClusterNode
from adc.runtime.serve.datagrams import Datagrams
from adc.runtime.serve.firewall import WorkerFirewall
from adc.runtime.serve.keys import NodeKeys
from adc.runtime.serve.links import Links
from adc.runtime.serve.listener import ListenerContext
from adc.runtime.serve.listeners import Listeners, Sockets
from adc.runtime.serve.log_files import LogFiles
from adc.runtime.serve.logs import Logs, open_logs
from adc.runtime.serve.metrics import worker_samples
from adc.runtime.serve.plugin_services import PluginServices
from adc.runtime.serve.purges import ClusterPurges, shares_purges
from adc.runtime.serve.sessions import WorkerSessions
from adc.runtime.serve.state import SharedState
from adc.runtime.steps import in_turns
from adc.sessions.shared_total import SharedTotal
from adc.telemetry.error_log import ErrorLog
from adc.telemetry.samples import Sample

_DRAIN_POLL = 0.05
_FIRST_DRAIN_POLL = 0.001
"""Seconds between two looks for work in flight: most of it ends soon, so the first looks follow each other closely."""


Ask = Callable[[Operation[Any, Any], Any], Awaitable[Any]]
"""Carries out an operation in the whole node. Raises OSError if that was not possible."""


class Worker:
    """Serves one configuration on sockets that stay the caller's, until it is drained."""

    def __init__(
        self,
        config: Config,
        sockets: Sockets,
        worker_id: int,
        ask: Ask | None = None,
        turns: SharedTurns = OWN_TURNS,
        share: Share | None = None,
        buckets: Buckets | None = None,
        quic_ids: IdMemory | None = None,
        loads: SharedLoads | None = None,
        total: SharedTotal | None = None,
        sources: SharedSources | None = None,
    ) -> None:
        self._ask = ask or self._ask_itself
        self._turns = turns
        self._share = share or Share()
        self._loads = loads or SharedLoads()
        self.worker_id = worker_id
        self.clock = Clock()
        self._retired: list[Plugins] = []
        self.challenges: dict[str, str] = {}
        self.state = SharedState()
        self.log_files = LogFiles()
        self.sessions = WorkerSessions(total)
        self.firewall = WorkerFirewall(buckets or Buckets())
        self._quic_ids = quic_ids or IdMemory()
        self._sources = sources or SharedSources()
        self.cluster = ClusterNode(self.clock, SystemRandom(), self._report_cluster)
        self._keys = NodeKeys(self.state, self._follow_cluster)
        self._first = (config, sockets)
        self._rng = SystemRandom()
        self._candidate: tuple[Runtime, Sockets, Logs] | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._expiring = False

    async def start(self) -> None:
        """Build and serve. Raises BuildError."""
        self.started_at = time.time()
        self._loop = asyncio.get_running_loop()
        self.batch = Batch(self._loop)
        self.reactor = Reactor(self._loop)
        self.datagrams = Datagrams(self._loop, self.worker_id, self.cluster)
        self.pipes = PipePool()
        self.links = Links(self.batch, self.clock)
        self.listeners = Listeners(
            ListenerContext(
                self.batch,
                self.clock,
                self._share,
                self.links,
                self.challenges,
                self.cluster,
                self.sessions,
                self.reactor,
                self.datagrams,
                self.firewall,
                self.pipes,
                UdpDescriptors(),
                self._quic_ids,
                self._sources,
            )
        )
        self._share.open_connections = self.listeners.open_connections
        self.caches = Caches(self._loop, self.worker_id, self._report_cache, self._purge_everywhere)
        self.purges = ClusterPurges(self.caches.purge)
        config, sockets = self._first
        await self.prepare(config, sockets)
        self.commit()
        self._on_tick()

    def accept(self, sockets: Sockets) -> None:
        """Accept on `sockets`, which a worker that was made without them has waited for."""
        self._share.tick(self.clock.now, True)
        self.listeners.accept(sockets)

    async def prepare(self, config: Config, sockets: Sockets) -> None:
        """Build a candidate beside what serves. Raises BuildError."""
        self.caches.rollback()
        sticky = await self._sticky(config)
        peers = self.cluster if config.cluster is not None else None
        stores = self.caches.prepare(config.caches, cache_folder(config))
        runtime = await in_turns(
            build_runtime(config, self._rng, sticky, stores, peers, self._turns, self._loads)
        )
        self.listeners.prepare(config)
        await self.firewall.prepare(config)
        logs = open_logs(config, getattr(self, "logs", None))
        keys = partial(self._keys.ring, config)
        await runtime.plugins.start(PluginServices(config, self.state, logs.error_log, self.log_files, keys))
        self._candidate = (runtime, sockets, logs)

    async def _sticky(self, config: Config) -> dict[str, Sticky]:
        """Return the persistence of every pool, on the tables in use if those stay. Raises BuildError."""
        self.state.rollback()
        tables = {}
        if needs_store(config) or shares_purges(config) or config.shares_sessions:
            tables = open_tables(config, self.state.prepare(config).pins)
        self._keys.begin()
        signs = needs_keys(config) or config.cluster is not None
        keys = await self._keys.ring(config) if signs else None
        counts = {name: sticky.persistence.counts for name, sticky in self._serving_sticky.items()}
        return build_all(config, tables, keys, counts)

    @property
    def _serving_sticky(self) -> Mapping[str, Sticky]:
        runtime: Runtime | None = getattr(self, "runtime", None)
        return {} if runtime is None else runtime.sticky

    def commit(self) -> None:
        """Let the candidate serve; exchanges in flight finish with what they began with."""
        if self._candidate is None:
            raise RuntimeError("nothing is prepared")
        (runtime, sockets, logs), self._candidate = self._candidate, None
        self.clock.tick()
        previous: Runtime | None = getattr(self, "runtime", None)
        gone: list[Member] = []
        if previous is not None:
            gone = runtime.adopt(previous, self.clock.now)
            for held_up in (*previous.waiting.values(), *runtime.waiting.values()):
                held_up.review()
        for name, pool in runtime.pools.items():
            waiting = runtime.waiting.get(name)
            review = waiting.review if waiting is not None else _nothing
            pool.changed = teller(logs.error_log, self.worker_id == 0, review)
            self.links.attach(pool, runtime.config.pools[name], runtime.member_tls.get(name))
        self.runtime = runtime
        self.state.commit()
        self._follow_cluster(self._keys.commit(runtime.config))
        self.caches.commit(runtime.config.caches)
        self.purges.follow(runtime.config, self.state.shared, self.clock.wall)
        replaced: Logs | None = getattr(self, "logs", None)
        if replaced is not None and replaced is not logs:
            replaced.flush()
        self.logs = logs
        self.sessions.follow(runtime.config, logs.session_log)
        self.firewall.commit(logs.error_log)
        self.listeners.follow(runtime, logs, sockets)
        if previous is not None:
            previous.plugins.retire(logs.error_log)
            self._retired = [plugins for plugins in self._retired if not plugins.over]
            self._retired.append(previous.plugins)
        for member in gone:
            self.links.retire(member)

    def _follow_cluster(self, key: bytes | None) -> None:
        """Take part in the cluster, with `key`."""
        config = self.runtime.config
        self.cluster.follow(config, self.state.shared, key, self.batch)
        self.datagrams.follow(config, self.state.shared)

    def rollback(self) -> None:
        """Forget the candidate."""
        if self._candidate is not None:
            runtime, _, logs = self._candidate
            runtime.plugins.retire(logs.error_log)
        self._candidate = None
        self.caches.rollback()
        self.state.rollback()
        if self.state.pins is not None:
            open_tables(self.runtime.config, self.state.pins)  # with the sizes that they had
            self.runtime.plugins.restore_tables()

    async def drain(self, grace: float, last: bool = True) -> None:
        """Stop accepting, finish in-flight work within `grace` seconds, abort the rest. `last`: no other process reads
        the sockets from now on."""
        self.listeners.drain(last)
        self._share.leave()
        self._loads.leave()
        self._sources.leave()
        self.sessions.table.total.leave()
        end, pause = self._loop.time() + max(grace, _DRAIN_POLL), _FIRST_DRAIN_POLL
        while self.listeners.busy and self._loop.time() < end:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _DRAIN_POLL)
        self.listeners.drop_all("shutdown")
        self.runtime.plugins.retire(self.logs.error_log)
        for plugins in (*self._retired, self.runtime.plugins):
            await plugins.closed()
        self.stop()
        self.reactor.close()
        self.pipes.close()
        self.caches.close()
        await self.state.close()

    def stop(self) -> None:
        """Stop the tick and write the logs out."""
        if self._tick is not None:
            self._tick.cancel()
        self.cluster.close()
        self.logs.flush()
        self.log_files.flush()

    def _on_tick(self) -> None:
        self._tick = self._loop.call_later(TICK, self._on_tick)
        clock = self.clock
        clock.tick()
        if not self._expiring:
            self._expire()
        self.listeners.tick(clock.now)
        self.firewall.tick(clock.now)
        self._share.tick(clock.now, self.listeners.accepts)
        surplus = self._share.surplus()
        if surplus:
            self.listeners.retire(surplus)
        for pool in self.runtime.pools.values():
            pool.refresh(clock.now)
        self.links.tick(clock.now)
        self.state.tick(clock.wall)
        self.cluster.tick(clock.wall)
        self.caches.tick(clock.wall)
        self.logs.flush()
        self.log_files.flush()

    def _expire(self) -> None:
        """End sessions whose time is over, one slice in each loop iteration until none is left."""
        self._expiring = self.sessions.table.tick(self.clock.now)
        if self._expiring:
            self._loop.call_soon(self._expire)

    async def _purge_everywhere(self, store: str, url: bytes) -> int:
        counts = await self._ask(PURGE_STORES, Target("key", url, store=store))
        return sum(counts.values())

    async def _ask_itself(self, operation: Operation[Any, Any], request: Any) -> Any:
        """Carry out an operation as the only worker of a node."""
        return await operation.coordinate(OnlyWorker(self), request)

    def _report_cluster(self, event: str, /, **fields: object) -> None:
        if self.worker_id == 0:
            self.logs.error_log.warn(event, **fields)

    def _report_cache(self, event: str, /, **fields: object) -> None:
        self.logs.error_log.warn(event, **fields)

    @property
    def error_log(self) -> ErrorLog:
        """The error log in use."""
        return self.logs.error_log

    def samples(self) -> list[Sample]:
        """Return this worker's metrics."""
        return list(chain.from_iterable(self.sample_groups()))

    def sample_groups(self) -> Iterator[Iterable[Sample]]:
        """Yield this worker's metrics in groups, between which it may do other work."""
        return worker_samples(self)

    def call(self, operation: Operation[Any, Any], request: Any) -> Any:
        """Run an operation in this worker; some replies are awaitable. Raises BuildError for what it refuses."""
        return operation.run(self, request)


def _nothing() -> None:
    """No-op: no caller waits."""


__all__ = ["BuildError", "Worker"]
