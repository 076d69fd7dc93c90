"""`adc sessions`: flows of the session table, and clients with the members that they are pinned to."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from json import dumps
from typing import Annotated

import typer

from adc.cli.admin_client import Endpoint, admin_address, carry_out
from adc.cli.arguments import AdminAddress, AdminConfig, Json
from adc.cli.flow_watch import FlowWatch
from adc.cli.flows import (
    COLUMNS,
    ENDED_COLUMNS,
    From,
    Idle,
    Listener,
    Protocol,
    State,
    checked_conditions,
    flow_cells,
    flow_rows,
)
from adc.cli.output import FAILED, MISUSED, fail, print_json, print_table, printable
from adc.persistence.listing import SessionRow
from adc.runtime.operations import flows as flow_operations
from adc.runtime.operations import sessions as operations
from adc.runtime.operations.convert import to_json
from adc.runtime.operations.flows import UnwantedFlows, WantedFlows
from adc.runtime.operations.operation import BadRequest
from adc.runtime.operations.sessions import Wanted
from adc.sessions.row import FlowRow

sessions = typer.Typer(
    help="List, show, watch and end flows of the session table, and sticky sessions.", no_args_is_help=True
)

Client = Annotated[
    str,
    typer.Argument(
        help="The client as listed, its session id, or the id of a flow.",
        metavar="CLIENT",
        show_default=False,
    ),
]
AnyClient = Annotated[
    str | None,
    typer.Argument(metavar="CLIENT", help="The client as listed, or its session id.", show_default=False),
]
Pool = Annotated[str, typer.Option("--pool", help="Only sessions of this pool.")]
Member = Annotated[str, typer.Option("--member", help="Only sessions of this member.")]
Older = Annotated[
    str, typer.Option("--older", metavar="DURATION", help="Only sessions of at least this age.")
]
Newer = Annotated[str, typer.Option("--newer", metavar="DURATION", help="Only sessions of at most this age.")]
Kind = Annotated[str, typer.Option("--kind", help="Only flow (the session table) or pin (sticky sessions).")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Maximum number of rows.")]

PIN_COLUMNS = ("pool", "client", "member", "created", "seen", "left", "hits", "moves", "node")


@sessions.command("list")
def list_sessions(
    kind: Kind = "",
    pool: Pool = "",
    member: Member = "",
    older: Older = "",
    newer: Newer = "",
    protocol: Protocol = "",
    listener: Listener = "",
    client: From = "",
    state: State = "",
    idle: Idle = "",
    ended: Annotated[
        bool, typer.Option("--ended", help="Only flows that ended recently, with the reason.")
    ] = False,
    limit: Limit = 1000,
    admin: AdminAddress = None,
    config: AdminConfig = None,
    json: Json = False,
) -> None:
    """List sticky sessions and flows: both ends, state, bytes, last activity, time left."""
    about_flows = bool(protocol or listener or client or state or idle or ended)
    about_pins = bool(older or newer)
    if kind not in ("", "flow", "pin") or (about_flows and (about_pins or kind == "pin")):
        fail("--kind is flow or pin; --older and --newer are for pins, the other filters for flows", MISUSED)
    address = admin_address(admin, config)
    pins: list[SessionRow] = []
    flows: list[FlowRow] = []
    if kind != "flow" and not about_flows:
        only = kind == "pin" or about_pins
        wanted = Wanted(pool, member=member, min_age=_age(older), max_age=_age(newer), if_any=not only)
        pins = list(islice(_rows(address, wanted), limit + 1))
    if kind != "pin" and not about_pins and len(pins) <= limit:
        with checked_conditions():
            conditions = WantedFlows(protocol, listener, pool, member, client, state, _age(idle), ended=ended)
        flows = flow_rows(address, conditions, limit + 1 - len(pins))
    _print(pins[:limit], flows[: max(0, limit - len(pins))], json)
    if len(pins) + len(flows) > limit:
        print(f"the first {limit} of more; --limit shows more", file=sys.stderr)


@sessions.command()
def show(
    client: Client,
    pool: Pool = "",
    admin: AdminAddress = None,
    config: AdminConfig = None,
    json: Json = False,
) -> None:
    """Show the sticky sessions and flows of one client, or one flow."""
    address = admin_address(admin, config)
    pins = list(_rows(address, Wanted(pool, client, if_any=True)))
    flows = _flows_of(address, client, pool)
    if not pins and not flows:
        fail(f"no session of {client}")
    _print(pins, flows, json)


@sessions.command()
def kill(
    flow: Annotated[
        str | None, typer.Argument(metavar="ID", help="Id of a flow, as listed.", show_default=False)
    ] = None,
    protocol: Protocol = "",
    listener: Listener = "",
    pool: Pool = "",
    member: Member = "",
    client: From = "",
    state: State = "",
    idle: Idle = "",
    everything: Annotated[bool, typer.Option("--all", help="End every flow.")] = False,
    admin: AdminAddress = None,
    config: AdminConfig = None,
    json: Json = False,
) -> None:
    """End flows at both ends: the flow ID, all that match the filters, or all."""
    try:
        request = UnwantedFlows(
            protocol, listener, pool, member, client, state, _age(idle), flow or "", all=everything
        )
    except BadRequest as error:
        if "say which" not in str(error):
            fail(str(error), MISUSED)
        fail("no flows named; give ID, a filter such as --client, or --all", MISUSED)
    reply = carry_out(admin_address(admin, config), flow_operations.KILL, request)
    if json:
        print_json(to_json(reply))
    else:
        print(f"{reply.killed} killed")
    if flow and not reply.killed:
        fail(f"no flow {flow}", FAILED)


@sessions.command()
def drop(
    client: AnyClient = None,
    pool: Pool = "",
    member: Member = "",
    everything: Annotated[bool, typer.Option("--all", help="Drop every sticky session.")] = False,
    admin: AdminAddress = None,
    config: AdminConfig = None,
    json: Json = False,
) -> None:
    """Drop sticky sessions: of a client, of a pool, of a member, or all."""
    if everything == bool(pool or client or member):
        fail("no sessions named; give CLIENT, --pool, --member or --all", MISUSED)
    request = operations.Unwanted(pool, client or "", member, all=everything)
    reply = carry_out(admin_address(admin, config), operations.DROP, request)
    if json:
        print_json(to_json(reply))
    else:
        print(f"{reply.dropped} dropped")


@sessions.command()
def watch(
    kind: Kind = "",
    pool: Pool = "",
    member: Member = "",
    protocol: Protocol = "",
    listener: Listener = "",
    client: From = "",
    interval: Annotated[float, typer.Option("--interval", min=0.1, help="Seconds between two checks.")] = 1.0,
    limit: Limit = 10_000,
    times: Annotated[
        int, typer.Option("--times", min=0, help="Number of checks after the first; 0: unlimited.")
    ] = 0,
    admin: AdminAddress = None,
    config: AdminConfig = None,
    json: Json = False,
) -> None:
    """Print flows and sticky sessions that open, change state, move or end, among the first LIMIT.

    With --json each event is one line.
    """
    about_flows = bool(protocol or listener or client)
    if kind not in ("", "flow", "pin") or (about_flows and kind == "pin"):
        fail("--kind is flow or pin; --protocol, --listener and --client are for flows", MISUSED)
    signal.signal(
        signal.SIGINT, signal.SIG_DFL
    )  # an exception would be lost if it came in a callback of the collector
    address = admin_address(admin, config)
    pins = None
    if kind != "flow" and not about_flows:
        pins = Wanted(pool, member=member, if_any=kind != "pin")
    known = _snapshot(address, pins, limit)
    with checked_conditions():
        wanted = WantedFlows(protocol, listener, pool, member, client)
    flows = None if kind == "pin" else FlowWatch(address, wanted, limit)
    looks = 0
    while times == 0 or looks < times:
        looks += 1
        time.sleep(interval)
        now = _snapshot(address, pins, limit)
        events: list[tuple[str, SessionRow | FlowRow]] = [*_changes(known, now)]
        events += () if flows is None else flows.changes()
        for event, row in events:
            _print_event(event, row, json)
        known = now


def _print_event(event: str, row: SessionRow | FlowRow, json: bool) -> None:
    if json:
        print(dumps({"event": event, **to_json(row)}), flush=True)
        return
    words = [event, row.pool, row.client, row.member]
    if isinstance(row, FlowRow):
        words = [event, row.pool, row.id, row.client, row.member, row.reason]
    print(printable(" ".join(words).rstrip()), flush=True)


def _flows_of(address: Endpoint, client: str, pool: str) -> list[FlowRow]:
    """Return the flow of an id, or those of a client; none of what names a sticky session only."""
    try:
        is_id = _FLOW.fullmatch(client)
        wanted = WantedFlows(pool=pool, id=client) if is_id else WantedFlows(pool=pool, client=client)
    except BadRequest:
        return []
    return flow_rows(address, wanted, _MOST_SHOWN)


_FLOW = re.compile(r"[0-9]+-[0-9]+")
_MOST_SHOWN = 1000
Snapshot = dict[tuple[str, str], SessionRow]


def _snapshot(endpoint: Endpoint, wanted: Wanted | None, limit: int) -> Snapshot:
    """Return the sticky sessions of this moment; None: none."""
    rows: Snapshot = {}
    if wanted is None:
        return rows
    for row in _rows(endpoint, wanted):
        rows[row.pool, row.client] = row
        if len(rows) >= limit:
            break
    return rows


def _changes(before: Snapshot, after: Snapshot) -> Iterator[tuple[str, SessionRow]]:
    for name, row in after.items():
        if name not in before:
            yield "made", row
        elif before[name].member != row.member:
            yield "moved", row
    for name, row in before.items():
        if name not in after:
            yield "gone", row


def _rows(endpoint: Endpoint, wanted: Wanted) -> Iterator[SessionRow]:
    """Yield the rows of all pages."""
    while True:
        page = carry_out(endpoint, operations.LIST, wanted)
        yield from page.rows
        if not page.cursor:
            return
        wanted = replace(wanted, cursor=page.cursor)


def _age(text: str) -> float | None:
    try:
        from adc.config.units import parse_duration

        return parse_duration(text) if text else None
    except ValueError as error:
        fail(str(error), MISUSED)


def _print(pins: list[SessionRow], flows: list[FlowRow], json: bool) -> None:
    if json:
        print_json([*to_json(pins), *to_json(flows)])
        return
    if pins or not flows:
        print_table(PIN_COLUMNS, ([_cell(name, getattr(row, name)) for name in PIN_COLUMNS] for row in pins))
    if pins and flows:
        print()
    if flows:
        columns = ENDED_COLUMNS if flows[0].reason else COLUMNS
        print_table(columns, (flow_cells(row, columns) for row in flows))


def _cell(column: str, value: float) -> object:
    if column in ("created", "seen"):
        return datetime.fromtimestamp(value).isoformat(" ", "seconds")
    from adc.config.units import format_duration

    return format_duration(max(0, round(value))) if column == "left" else value


def add(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.add_typer(sessions, name="sessions")
