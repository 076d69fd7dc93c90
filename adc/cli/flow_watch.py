"""What happens to flows of the session table, seen by `adc sessions watch`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from adc.cli.admin_client import Endpoint
from adc.cli.flows import flow_rows
from adc.runtime.operations.flows import WantedFlows
from adc.sessions.row import FlowRow

Rows = Mapping[str, FlowRow]
Event = tuple[str, FlowRow]


class FlowWatch:
    """Compares the flows that match `wanted` with those of the last look.

    Flows that opened and ended between two looks are among those that ended lately: the last 1,000 of each worker.
    """

    def __init__(self, endpoint: Endpoint, wanted: WantedFlows, limit: int) -> None:
        self._endpoint = endpoint
        self._wanted = wanted
        self._limit = limit
        self._open, self._ended = self._look()

    def changes(self) -> Iterator[Event]:
        """Look again, and yield what has happened since."""
        open_, ended = self._look()
        yield from flow_changes(
            self._open, open_, {id_: ended[id_] for id_ in ended.keys() - self._ended.keys()}
        )
        self._open, self._ended = open_, ended

    def _look(self) -> tuple[Rows, Rows]:
        """Return the open flows and those that ended, by id."""
        rows = flow_rows(self._endpoint, self._wanted, self._limit)
        ended = flow_rows(self._endpoint, replace(self._wanted, ended=True), self._limit)
        gone = {row.id: row for row in ended}
        return {row.id: row for row in rows if row.id not in gone}, gone


def flow_changes(before: Rows, after: Rows, ended: Rows) -> Iterator[Event]:
    """Yield what happened to flows between two listings; `ended` are those that ended in between."""
    for number, row in after.items():
        known = before.get(number)
        if known is None:
            yield "opened", row
        elif known.state != row.state:
            yield row.state, row
        elif known.member != row.member:
            yield "moved", row
    for row in sorted(ended.values(), key=lambda row: row.created):
        if row.id not in before:
            yield "opened", replace(row, reason="")
        yield "ended", row
    for number, row in before.items():
        if number not in after and number not in ended:
            yield "ended", row
