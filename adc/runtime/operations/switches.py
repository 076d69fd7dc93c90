"""The switches of plugins, such as that of maintenance."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adc.runtime.operations.operation import NodeOperation, NotFound, Nothing, Operation, Scope, Unavailable

if TYPE_CHECKING:
    from adc.plugin.switch import Switch
    from adc.runtime.operations.operation import Node
    from adc.runtime.serve.view import Serving


@dataclass(frozen=True, slots=True)
class SwitchRow:
    """A switch. `configured` is True if the configuration has it on; `routes` are those whose plugins follow it."""

    name: str
    on: bool
    configured: bool
    routes: list[str]


class ListSwitches(Operation[Nothing, list[SwitchRow]]):
    """List the switches of the plugins in use. A switch is on if it is in any worker."""

    name = "switches.list"
    reply = list[SwitchRow]
    path = "/api/v1/switches"

    def run(self, worker: Serving, request: Nothing) -> list[SwitchRow]:
        found: dict[str, list[tuple[str, Switch]]] = {}
        for route, chain in worker.runtime.plugins.chains.items():
            for use in chain.uses:
                for name, switch in use.declared.switches.items():
                    found.setdefault(name, []).append((route, switch))
        return [
            SwitchRow(
                name,
                any(switch.on for _, switch in uses),
                any(switch.configured for _, switch in uses),
                sorted({route for route, _ in uses}),
            )
            for name, uses in sorted(found.items())
        ]

    def merge(self, replies: Mapping[int, list[SwitchRow]]) -> list[SwitchRow]:
        on = {row.name for reply in replies.values() for row in reply if row.on}
        rows = {row.name: replace(row, on=row.name in on) for reply in replies.values() for row in reply}
        return [row for _, row in sorted(rows.items())]


@dataclass(frozen=True, slots=True)
class Turn:
    """A switch, and True to turn it on."""

    name: str
    on: bool


class ApplySwitch(Operation[Turn, Nothing]):
    """Turn a switch in the state store; in every worker, if each has a store of its own."""

    name = "switches.apply"
    request = Turn
    scope = Scope.STATE
    must_reach_all = True

    def run(self, worker: Serving, request: Turn) -> Nothing:
        from adc.plugin.switch import switches_of, turn

        store = worker.state.shared
        if store is not None:
            turn(switches_of(store), request.name, request.on, time.time())
        return Nothing()


class TurnSwitch(NodeOperation[Turn, SwitchRow]):
    """Turn a switch on or off; the state holds over reloads and restarts of workers."""

    name = "switches.turn"
    request = Turn
    reply = SwitchRow
    method = "POST"
    path = "/api/v1/switches/{name}"

    async def coordinate(self, node: Node, request: Turn) -> SwitchRow:
        rows = await LIST.coordinate(node, Nothing())
        if request.name not in {row.name for row in rows}:
            known = ", ".join(row.name for row in rows) or "none; no route has such a plugin"
            raise NotFound(f"there is no switch {request.name}; there are: {known}")
        await APPLY.coordinate(node, request)
        for row in await LIST.coordinate(node, Nothing()):
            if row.name == request.name:
                return row
        raise Unavailable("the configuration was changed meanwhile")


LIST = ListSwitches()
APPLY = ApplySwitch()
TURN = TurnSwitch()
