"""The workers as operations see them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from adc.control.calls import CallFailed, CallRefused
from adc.runtime.operations.operation import Refused, Reply, Request, Unavailable

if TYPE_CHECKING:
    from adc.control.fleet import Fleet
    from adc.runtime.operations.operation import Operation

Result = TypeVar("Result")


class FleetNode:
    """Implements `adc.runtime.operations.operation.Node`. `decide` remembers an operator's decision about a member;
    `shares_state()` is True if all workers use one state store.
    """

    def __init__(
        self, fleet: Fleet, decide: Callable[[str, str, str], None], shares_state: Callable[[], bool]
    ) -> None:
        self._fleet = fleet
        self._shares_state = shares_state
        self.decide = decide

    @property
    def shares_state(self) -> bool:
        return self._shares_state()

    async def one(self, operation: Operation[Request, Reply], request: Request) -> Reply:
        return await _reply(self._fleet.call_one(operation, request))

    async def all(self, operation: Operation[Request, Reply], request: Request) -> Mapping[int, Reply]:
        return await _reply(self._fleet.call_all(operation, request))


async def _reply(call: Awaitable[Result]) -> Result:
    try:
        return await call
    except CallRefused as error:
        raise Refused(str(error)) from error
    except CallFailed as error:
        raise Unavailable(str(error)) from error
