"""The serving side of a worker: a `Worker` and the sockets it was handed, by key."""

from __future__ import annotations

import contextlib
import inspect
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from adc.control.calls import CallRefused
from adc.runtime.operations.registry import operation_named

if TYPE_CHECKING:
    from adc.config import Config
    from adc.runtime.operations.operation import Operation
    from adc.telemetry.error_log import ErrorLog
    from adc.telemetry.samples import Sample

Listeners = Mapping[str, tuple[str, ...]]
"""Listener name -> keys of its sockets."""


class Serves(Protocol):
    """The part of `adc.runtime.worker.Worker` that the control side uses."""

    @property
    def error_log(self) -> ErrorLog: ...
    async def start(self) -> None: ...
    def accept(self, sockets: Mapping[str, list[socket.socket]]) -> None: ...
    async def prepare(self, config: Config, sockets: Mapping[str, list[socket.socket]]) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    async def drain(self, grace: float, last: bool) -> None: ...
    def samples(self) -> list[Sample]: ...
    def sample_groups(self) -> Iterator[Iterable[Sample]]: ...
    def call(self, operation: Operation[Any, Any], request: Any) -> Any: ...


Ask = Callable[["Operation[Any, Any]", Any], Awaitable[Any]]
"""Carries out an operation in the whole node. Raises OSError if the supervisor does not reply or refuses."""

WorkerFactory = Callable[["Config", Mapping[str, list[socket.socket]], int, Ask | None], Serves]


class ServingSockets:
    """Keeps the sockets that a worker holds, over reloads.

    `refusals` are the exceptions of the worker whose text is for the user: they leave here as CallRefused.
    """

    def __init__(
        self, factory: WorkerFactory, worker_id: int, refusals: tuple[type[Exception], ...] = ()
    ) -> None:
        self._factory = factory
        self._refusals = refusals
        self._worker_id = worker_id
        self._worker: Serves | None = None
        self._sockets: dict[str, socket.socket] = {}
        self._new: dict[str, socket.socket] = {}
        self._wanted: set[str] = set()
        self._listeners: Listeners = {}

    @property
    def keys(self) -> set[str]:
        """Keys of the sockets held."""
        return set(self._sockets)

    @property
    def started(self) -> bool:
        """True once there is a worker that may have work in flight."""
        return self._worker is not None

    @property
    def worker(self) -> Serves:
        """The worker. Raises CallRefused before `start`."""
        if self._worker is None:
            raise CallRefused("the worker has not started")
        return self._worker

    async def start(
        self,
        config: Config,
        listeners: Listeners,
        new: dict[str, socket.socket],
        ask: Ask | None = None,
    ) -> None:
        """Make the worker, which accepts nothing yet. `ask` reaches the supervisor of several workers."""
        self._sockets = new
        self._listeners = listeners
        worker = self._factory(config, {}, self._worker_id, ask)
        with self._refused():
            await worker.start()
        self._worker = worker

    def accept(self) -> None:
        """Accept on the sockets that `start` got."""
        self.worker.accept(self._grouped(self._listeners))

    async def prepare(self, config: Config, listeners: Listeners, new: dict[str, socket.socket]) -> None:
        """Let the worker build a candidate on the kept and the new sockets."""
        self._new = new
        self._wanted = {key for keys in listeners.values() for key in keys}
        with self._refused():
            await self.worker.prepare(config, self._grouped(listeners))

    def commit(self) -> None:
        """Close the sockets that the new configuration does not name; swap: the worker empties its copies' queues."""
        self._sockets |= self._new
        self._new = {}
        for key in [key for key in self._sockets if key not in self._wanted]:
            self._sockets.pop(key).close()
        self.worker.commit()

    def rollback(self) -> None:
        """Forget the candidate and its sockets."""
        self.worker.rollback()
        for sock in self._new.values():
            sock.close()
        self._new = {}

    async def drain(self, grace: float, last: bool) -> list[Sample]:
        """Let go of the sockets, finish what is in flight within `grace` seconds; returns the counters."""
        worker = self.worker
        self.close()
        await worker.drain(grace, last)
        return worker.samples()

    async def call(self, name: str, request: object) -> Any:
        """Run the operation called `name` in the worker."""
        with self._refused():
            return await _finished(self.worker.call(operation_named(name), request))

    def close(self) -> None:
        """Close every socket held."""
        for sock in self._sockets.values():
            sock.close()
        self._sockets = {}

    @contextlib.contextmanager
    def _refused(self) -> Iterator[None]:
        try:
            yield
        except self._refusals as error:
            raise CallRefused(str(error)) from error

    def _grouped(self, listeners: Listeners) -> dict[str, list[socket.socket]]:
        both = self._sockets | self._new
        return {name: [both[key] for key in keys] for name, keys in listeners.items()}


async def _finished(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
