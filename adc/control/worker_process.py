"""A worker process: it executes the calls of the supervisor at the other end of its channel."""

from __future__ import annotations

import asyncio
import signal
import socket
from functools import partial
from typing import TYPE_CHECKING, Any

import uvloop

from adc.control import error_log
from adc.control.allocator import TRIM_SECONDS, HeapTrimmer, heap_trimmer, set_thresholds
from adc.control.calls import CallEndpoint, CallFailed, CallRefused
from adc.control.collector import spare_started
from adc.control.privileges import drop, identity_of
from adc.control.sample_parts import packed
from adc.control.serving import ServingSockets
from adc.net.tls import quiet_about_server_names

if TYPE_CHECKING:
    from adc.runtime.operations.operation import Operation

GRACE_ALONE = 30.0
"""Seconds for work in flight when the supervisor died without saying how long."""

ASK_TIMEOUT = 10.0

GROUP_SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that a terminal or an operator sends to the whole group of processes: the supervisor acts on them alone."""


class WorkerProcess:
    """Serves the supervisor's calls until it is told to drain, or the supervisor is gone."""

    def __init__(self, serving: ServingSockets, channel: socket.socket) -> None:
        self._serving = serving
        self._ended = asyncio.Event()
        self._grace = GRACE_ALONE
        self._draining = False
        self._supervisor = CallEndpoint(channel, self._serve, self.alone)

    async def run(self) -> None:
        """Return when the work is over."""
        trimmer = heap_trimmer()
        if trimmer is not None:
            self._trim(trimmer)
        await self._ended.wait()
        self._serving.close()

    def _trim(self, trimmer: HeapTrimmer) -> None:
        trimmer.look()
        asyncio.get_running_loop().call_later(TRIM_SECONDS, self._trim, trimmer)

    def alone(self) -> None:
        """Finish in-flight work and end, because the supervisor is gone."""
        if self._draining or not self._serving.started:
            self._ended.set()
            return
        self._draining = True
        self._drain_task = asyncio.get_running_loop().create_task(self._drain_alone())

    async def _drain_alone(self) -> None:
        try:
            await self._serving.drain(self._grace, True)
        finally:  # no process is left that could end a worker that failed to drain
            self._ended.set()

    async def _serve(self, verb: str, body: Any, sockets: list[socket.socket]) -> object:
        match verb:
            case "start":
                config, listeners, keys = body
                self._grace = config.shutdown.grace
                identity = identity_of(config)
                if identity is not None:
                    drop(identity)
                error_log.configure(config)
                await self._serving.start(config, listeners, dict(zip(keys, sockets, strict=True)), self._ask)
                error_log.use(self._serving.worker.error_log)
                spare_started()
            case "accept":
                self._serving.accept()
            case "ping":
                pass
            case "prepare":
                config, listeners, keys = body
                await self._serving.prepare(config, listeners, dict(zip(keys, sockets, strict=True)))
            case "commit":
                self._serving.commit()
                error_log.use(self._serving.worker.error_log)
            case "rollback":
                self._serving.rollback()
            case "drain":
                self._draining = True
                return await self._serving.drain(*body)
            case "samples":
                return await packed(self._serving.worker.sample_groups())
            case "call":
                return await self._serving.call(*body)
            case _:
                raise CallRefused(f"no such request: {verb}")
        return None

    async def _ask(self, operation: Operation[Any, Any], request: Any) -> Any:
        try:
            return await self._supervisor.ask(operation.name, request, timeout=ASK_TIMEOUT)
        except (CallFailed, CallRefused) as error:
            raise ConnectionError(str(error)) from error


async def run(serving: ServingSockets, channel: socket.socket) -> None:
    """Serve the supervisor at the other end of `channel`."""
    process = WorkerProcess(serving, channel)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, process.alone)
    for number in GROUP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    await process.run()


def work(
    number: int,
    channel: socket.socket,
    turns: int,
    shares: int,
    buckets: int,
    ids: int,
    loads: int,
    sources: int,
) -> None:
    """Be worker `number` until the work is over; the others are descriptors of memory that all share."""
    from adc.firewall.buckets import Buckets
    from adc.l4.udp.id_memory import IdMemory
    from adc.net.share import CELLS, WORKERS, Share
    from adc.net.shared_sources import SharedSources
    from adc.pools.shared_load import SharedLoads
    from adc.runtime.assembly.turns import SharedTurns, shared_counts
    from adc.runtime.serve import descriptors
    from adc.runtime.worker import BuildError, Worker
    from adc.sessions.shared_total import SharedTotal

    set_thresholds()
    quiet_about_server_names()
    descriptors.raise_limit()
    worker = partial(
        Worker,
        turns=SharedTurns(turns),
        share=Share(shared_counts(shares), number),
        buckets=Buckets(shared_counts(buckets)),
        quic_ids=IdMemory(shared_counts(ids)),
        total=SharedTotal(shared_counts(shares)[CELLS : CELLS + WORKERS], number),
        sources=SharedSources(shared_counts(sources), number),
        loads=SharedLoads(shared_counts(loads).cast("B").cast("q"), number),
    )
    uvloop.run(run(ServingSockets(worker, number, (BuildError,)), channel))
