"""Operators' decisions about members: kept here, because workers come and go."""

from __future__ import annotations

from collections.abc import Iterable

from adc.control.calls import CallRefused
from adc.control.workers import WorkerHandle
from adc.runtime.operations.members import ADMIN_STATES, APPLY, AdminState


class Decisions:
    """Admin states by pool and member; a member without a decision is enabled."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], str] = {}

    def note(self, pool: str, member: str, state: str) -> None:
        """Remember one decision; `state` is a value of ADMIN_STATES."""
        if state == "enabled":
            self._states.pop((pool, member), None)
        else:
            self._states[pool, member] = state

    def is_enabled(self, pool: str, member: str) -> bool:
        """True unless an operator drains or disables the member."""
        return (pool, member) not in self._states

    def all(self) -> tuple[tuple[str, str, str], ...]:
        """Return every decision in force: pool, member, state."""
        return tuple((pool, member, state) for (pool, member), state in self._states.items())

    def take_over(self, decisions: Iterable[tuple[str, str, str]]) -> None:
        """Continue with the decisions of the previous binary; unknown words are ignored."""
        for pool, member, state in decisions:
            if state in ADMIN_STATES.values():
                self.note(pool, member, state)

    async def replay(self, worker: WorkerHandle) -> None:
        """Tell a new worker all of them; members that are gone by now are forgotten."""
        for (pool, member), state in list(self._states.items()):
            try:
                await worker.call(APPLY, AdminState(pool, member, state))
            except CallRefused:
                self._states.pop((pool, member), None)
