"""A node of one worker without a supervisor."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING

from adc.runtime.operations.operation import Operation, Reply, Request

if TYPE_CHECKING:
    from adc.runtime.serve.view import Serving


class OnlyWorker:
    """Implements `Node` with a worker in this process. Decisions are forgotten: no worker starts later."""

    shares_state = True

    def __init__(self, worker: Serving) -> None:
        self._worker = worker

    async def one(self, operation: Operation[Request, Reply], request: Request) -> Reply:
        reply = operation.run(self._worker, request)
        return await reply if inspect.isawaitable(reply) else reply

    async def all(self, operation: Operation[Request, Reply], request: Request) -> Mapping[int, Reply]:
        return {self._worker.worker_id: await self.one(operation, request)}

    def decide(self, pool: str, member: str, state: str) -> None:
        """No-op."""
