"""The state store of the workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adc.runtime.operations.convert import OMITTED
from adc.runtime.operations.operation import Nothing, Operation

if TYPE_CHECKING:
    from adc.runtime.serve.view import Serving


@dataclass(frozen=True, slots=True)
class StateStatus:
    """`degraded` is True if the store does not work as it should; `since` is in seconds since 1970."""

    degraded: bool = False
    reason: str | None = field(default=None, metadata=OMITTED)
    since: float | None = field(default=None, metadata=OMITTED)


class ShowStatus(Operation[Nothing, StateStatus]):
    """Return the status of the state store; it is degraded if any worker says so."""

    name = "state.status"
    reply = StateStatus

    def run(self, worker: Serving, request: Nothing) -> StateStatus:
        status = worker.state.status()
        return StateStatus(True, status.reason, status.since) if status.degraded else StateStatus()

    def merge(self, replies: Mapping[int, StateStatus]) -> StateStatus:
        return next((reply for reply in replies.values() if reply.degraded), StateStatus())


STATUS = ShowStatus()
