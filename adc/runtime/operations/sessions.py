"""The sessions of a worker's tables as operators list and drop them, in bounded slices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from adc.persistence.identity import member_id
from adc.persistence.listing import SessionFilter, SessionRow, candidate_keys, session_rows
from adc.runtime.errors import BuildError
from adc.runtime.serve.view import Serving
from adc.state.interface import Entry, Table

MOST_ROWS = 1000
SCANNED_PER_CALL = 20_000
"""Entries looked at in one call, so that a filter that matches little does not hold up the worker."""

_PAGE = 500

Place = tuple[str, str | None]
"""A pool, and the key (in hexadecimal) after which to go on in its table."""


def list_sessions(worker: Serving, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`rows`, at most `limit` of them, and `cursor`: pass it on to continue, None when nothing is left.

    The other arguments are those of `SessionFilter`. Raises BuildError for a pool without sessions.
    """
    tables = _tables(worker, arguments)
    limit = min(int(arguments.get("limit") or MOST_ROWS), MOST_ROWS)
    now = worker.clock.wall
    wanted = _filter(arguments)
    rows: list[SessionRow] = []
    left = SCANNED_PER_CALL
    place: Place | None = _place(tables, arguments.get("cursor"))
    while place is not None and left > 0 and len(rows) < limit:
        pool, after = place
        entries, following = _slice(tables[pool], wanted.client, after, min(_PAGE, limit - len(rows)), now)
        left -= max(1, len(entries))
        slack = worker.runtime.sticky[pool].stickiness.slack
        chosen = _by_address(worker, pool, wanted)
        rows += session_rows(pool, _members(worker, pool), entries, now, chosen, slack)
        place = (pool, following) if following is not None else _after(tables, pool)
    cursor = None if place is None else f"{place[1] or ''}:{place[0]}"
    return {"rows": [row._asdict() for row in rows], "cursor": cursor}


def drop_sessions(worker: Serving, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what `list_sessions` would list: `dropped` says how many, `cursor` where to go on."""
    page = list_sessions(worker, arguments)
    tables = _tables(worker, arguments)
    now = worker.clock.wall
    dropped = 0
    for row in page["rows"]:
        dropped += any(tables[row["pool"]].delete(key, now) for key in candidate_keys(row["client"]))
    return {"dropped": dropped, "cursor": page["cursor"]}


def _tables(worker: Serving, arguments: Mapping[str, Any]) -> dict[str, Table]:
    """The tables that are asked about, by pool in order."""
    tables = {
        pool: sticky.table for pool, sticky in worker.runtime.sticky.items() if sticky.table is not None
    }
    pool = arguments.get("pool")
    if not pool:
        return dict(sorted(tables.items()))
    if pool not in tables:
        raise BuildError(f"pool {pool} keeps no sessions in a table; those that do: {_named(tables)}")
    return {pool: tables[pool]}


def _named(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _filter(arguments: Mapping[str, Any]) -> SessionFilter:
    return SessionFilter(**{name: arguments[name] for name in SessionFilter._fields if arguments.get(name)})


def _by_address(worker: Serving, pool: str, wanted: SessionFilter) -> SessionFilter:
    """`wanted` with a member's name made its address, by which rows call it."""
    for member in worker.runtime.pools[pool].members:
        if wanted.member == member.name:
            return wanted._replace(member=member.address)
    return wanted


def _members(worker: Serving, pool: str) -> dict[bytes, str]:
    return {member_id(pool, member.address): member.address for member in worker.runtime.pools[pool].members}


def _place(tables: Mapping[str, Table], cursor: str | None) -> Place | None:
    """Return the point where a listing begins."""
    if not cursor:
        return _after(tables, "")
    key, _, pool = cursor.partition(":")
    if pool not in tables:
        return _after(tables, pool)
    return pool, key or None


def _after(tables: Mapping[str, Table], pool: str) -> Place | None:
    """The beginning of the next table."""
    return next(((name, None) for name in tables if name > pool), None)


def _slice(
    table: Table, client: str, after: str | None, limit: int, now: float
) -> tuple[list[tuple[bytes, Entry]], str | None]:
    """The next entries and the key to go on after; a client who is named needs no scan."""
    if client:
        return list(_of_client(table, client, now)), None
    try:
        page = table.scan(now, limit=limit, cursor=bytes.fromhex(after) if after else None)
    except ValueError as error:
        raise BuildError(f"{after!r} is no cursor that was given out") from error
    return page.entries, None if page.cursor is None else page.cursor.hex()


def _of_client(table: Table, client: str, now: float) -> Iterator[tuple[bytes, Entry]]:
    for key in dict.fromkeys(candidate_keys(client)):
        entry = table.get(key, now)
        if entry is not None:
            yield key, entry
