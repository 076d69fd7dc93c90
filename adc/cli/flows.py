"""Flows of the session table in `adc sessions`: their options, rows and events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Annotated

import typer

from adc.cli.admin_client import Endpoint, carry_out
from adc.cli.output import MISUSED, fail
from adc.runtime.operations import flows as operations
from adc.runtime.operations.flows import WantedFlows
from adc.runtime.operations.operation import BadRequest
from adc.sessions.row import FlowRow

Protocol = Annotated[
    str, typer.Option("--protocol", help="Only flows of this protocol: tcp, udp, smtp or http.")
]
Listener = Annotated[str, typer.Option("--listener", help="Only flows of this listener.")]
From = Annotated[
    str,
    typer.Option(
        "--client", metavar="ADDRESS", help="Only flows of this client address, network, or address and port."
    ),
]
State = Annotated[
    str, typer.Option("--state", help="Only flows in this state: new, established, half-closed or closing.")
]
Idle = Annotated[
    str,
    typer.Option("--idle", metavar="DURATION", help="Only flows without activity for at least this time."),
]

COLUMNS = (
    "id",
    "protocol",
    "listener",
    "client",
    "pool",
    "member",
    "state",
    "bytes_in",
    "bytes_out",
    "seen",
    "left",
)
ENDED_COLUMNS = (*COLUMNS[:-1], "reason")


@contextmanager
def checked_conditions() -> Iterator[None]:
    """Exit if a request that is made within is wrong."""
    try:
        yield
    except BadRequest as error:
        fail(str(error), MISUSED)


def flow_rows(endpoint: Endpoint, wanted: WantedFlows, limit: int) -> list[FlowRow]:
    """Return up to `limit` rows of as many pages as it takes."""
    rows: list[FlowRow] = []
    while True:
        wanted = replace(wanted, limit=min(operations.MOST_ROWS, limit - len(rows)))
        page = carry_out(endpoint, operations.LIST, wanted)
        rows += page.rows
        if not page.cursor or len(rows) >= limit:
            return rows
        wanted = replace(wanted, cursor=page.cursor)


def flow_cells(row: FlowRow, columns: tuple[str, ...]) -> list[object]:
    """Return the cells of a row for people."""
    from adc.config.units import format_duration

    cells: dict[str, object] = {
        "seen": datetime.fromtimestamp(row.seen).isoformat(" ", "seconds"),
        "left": format_duration(max(0, round(row.left))),
    }
    return [cells.get(column, getattr(row, column)) for column in columns]
