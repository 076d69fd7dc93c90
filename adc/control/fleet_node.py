"""The workers as operations see them: asked one by one or all together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from adc.control.calls import CallFailed, CallRefused
from adc.control.kernel_flows import KERNEL
from adc.control.nft import NftFailed
from adc.runtime.operations.operation import Refused, Reply, Request, Unavailable
from adc.sessions.conntrack import BadMessage
from adc.telemetry.event_log import EventLog

if TYPE_CHECKING:
    from adc.control.fleet import Fleet
    from adc.control.workers import WorkerHandle
    from adc.runtime.operations.operation import Operation

log = EventLog(__name__)


class FleetNode:
    """Implements `adc.runtime.operations.operation.Node`. `decide` remembers an operator's decision about a member;
    `shares_state()` is True if all workers use one state store; `kernel` replies for flows that the kernel forwards.
    """

    def __init__(
        self,
        fleet: Fleet,
        decide: Callable[[str, str, str], None],
        shares_state: Callable[[], bool],
        kernel: Callable[[Operation[Any, Any], Any], Awaitable[Any]],
    ) -> None:
        self._fleet = fleet
        self._kernel = kernel
        self._shares_state = shares_state
        self.decide = decide

    @property
    def shares_state(self) -> bool:
        return self._shares_state()

    async def one(self, operation: Operation[Request, Reply], request: Request) -> Reply:
        """Run an operation in the first worker that replies. Raises Refused, Unavailable."""
        failure = f"no worker answered {operation.name!r}"
        for worker in list(self._fleet.workers.values()):
            try:
                return await worker.call(operation, request)
            except CallRefused as error:
                raise Refused(str(error)) from error
            except CallFailed as error:
                failure = str(error)
        raise Unavailable(failure)

    async def all(self, operation: Operation[Request, Reply], request: Request) -> dict[int, Reply]:
        """Run an operation in every worker: worker id -> reply, without those that failed.

        Workers that leave carry it out too, but their replies are ignored. Raises Refused if a worker refuses,
        Unavailable if none replies, or if the operation must reach all and a worker that serves on did not reply.
        """
        workers = list(self._fleet.workers.values())
        replies = await asyncio.gather(
            *(worker.call(operation, request) for worker in (*workers, *self._fleet.leaving)),
            return_exceptions=True,
        )
        done: dict[int, Reply] = {}
        for worker, reply in zip(workers, replies, strict=False):
            if isinstance(reply, CallFailed):
                number, detail = worker.worker_id, str(reply)
                log.warn("worker_call_failed", worker=number, command=operation.name, detail=detail)
            elif isinstance(reply, CallRefused):
                raise Refused(str(reply)) from reply
            elif isinstance(reply, BaseException):
                raise reply
            else:
                done[worker.worker_id] = reply
        if workers and not done:
            raise Unavailable(f"no worker answered {operation.name!r}")
        try:
            kernel = await self._kernel(operation, request)
        except (OSError, BadMessage, NftFailed) as error:
            raise Unavailable(f"the kernel did not answer {operation.name!r}: {error}") from error
        if kernel is not None:
            done[KERNEL] = kernel
        if operation.must_reach_all:
            self._require(workers, done, operation.name)
        return done

    def _require(self, workers: list[WorkerHandle], done: dict[int, Reply], name: str) -> None:
        """Raise Unavailable if one of `workers` serves on without a reply."""
        for worker in workers:
            number = worker.worker_id
            if number not in done and self._fleet.workers.get(number) is worker:
                raise Unavailable(f"worker {number} did not answer {name!r}")
