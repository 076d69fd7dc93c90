"""`adc sessions`: clients and the members that they are pinned to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from json import dumps
from typing import Annotated

import typer

from adc.cli.admin_client import Endpoint, admin_address, carry_out
from adc.cli.arguments import AdminAddress, AdminConfig, Json
from adc.cli.output import MISUSED, fail, print_json, print_table
from adc.persistence.listing import SessionRow
from adc.runtime.operations import sessions as operations
from adc.runtime.operations.convert import to_json
from adc.runtime.operations.sessions import Wanted

sessions = typer.Typer(help="List, show, drop and watch sticky sessions.", no_args_is_help=True)

Client = Annotated[
    str, typer.Argument(help="The client as listed, or its session id.", metavar="CLIENT", show_default=False)
]
AnyClient = Annotated[str | None, typer.Argument(metavar="[CLIENT]", show_default=False)]
Pool = Annotated[str, typer.Option("--pool", help="Only sessions of this pool.")]
Member = Annotated[str, typer.Option("--member", help="Only sessions pinned to this member.")]
Older = Annotated[
    str, typer.Option("--older", metavar="DURATION", help="Only sessions of at least this age.")
]
Newer = Annotated[str, typer.Option("--newer", metavar="DURATION", help="Only sessions of at most this age.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Maximum number of rows.")]

COLUMNS = ("pool", "client", "member", "created", "seen", "left", "hits", "moves", "node")


@sessions.command("list")
def list_sessions(
    pool: Pool = "",
    member: Member = "",
    older: Older = "",
    newer: Newer = "",
    limit: Limit = 100,
    admin: AdminAddress = None,
    config: AdminConfig = None,
    json: Json = False,
) -> None:
    """Show sessions: client, member, age, last use, time left."""
    wanted = Wanted(pool, member=member, min_age=_age(older), max_age=_age(newer))
    rows: list[SessionRow] = []
    for row in _rows(admin_address(admin, config), wanted):
        if len(rows) == limit:
            break
        rows.append(row)
    _print(rows, json)


@sessions.command()
def show(
    client: Client,
    pool: Pool = "",
    admin: AdminAddress = None,
    config: AdminConfig = None,
    json: Json = False,
) -> None:
    """Show the sessions of one client."""
    rows = list(_rows(admin_address(admin, config), Wanted(pool, client)))
    if not rows:
        fail(f"no session of {client}")
    _print(rows, json)


@sessions.command()
def drop(
    client: AnyClient = None,
    pool: Pool = "",
    member: Member = "",
    everything: Annotated[bool, typer.Option("--all", help="Drop every session.")] = False,
    admin: AdminAddress = None,
    config: AdminConfig = None,
    json: Json = False,
) -> None:
    """Drop sessions: of a client, of a pool, of a member, or all."""
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
    pool: Pool = "",
    interval: Annotated[float, typer.Option("--interval", min=0.1, help="Seconds between two checks.")] = 1.0,
    limit: Limit = 10_000,
    times: Annotated[
        int, typer.Option("--times", min=0, help="Number of checks after the first; 0: unlimited.")
    ] = 0,
    admin: AdminAddress = None,
    config: AdminConfig = None,
    json: Json = False,
) -> None:
    """Print each session that is created, moves or ends, among the first LIMIT. JSON is one line per event."""
    address, wanted = admin_address(admin, config), Wanted(pool)
    known = _snapshot(address, wanted, limit)
    looks = 0
    while times == 0 or looks < times:
        looks += 1
        time.sleep(interval)
        now = _snapshot(address, wanted, limit)
        for event, row in _changes(known, now):
            if json:
                print(dumps({"event": event, **to_json(row)}), flush=True)
            else:
                print(f"{event} {row.pool} {row.client} {row.member}", flush=True)
        known = now


Snapshot = dict[tuple[str, str], SessionRow]


def _snapshot(endpoint: Endpoint, wanted: Wanted, limit: int) -> Snapshot:
    rows: Snapshot = {}
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


def _print(rows: list[SessionRow], json: bool) -> None:
    if json:
        print_json(to_json(rows))
    else:
        print_table(COLUMNS, ([_cell(column, getattr(row, column)) for column in COLUMNS] for row in rows))


def _cell(column: str, value: float) -> object:
    if column in ("created", "seen"):
        return datetime.fromtimestamp(value).isoformat(" ", "seconds")
    from adc.config.units import format_duration

    return format_duration(max(0, round(value))) if column == "left" else value


def add(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.add_typer(sessions, name="sessions")
