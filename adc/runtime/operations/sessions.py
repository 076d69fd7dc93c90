"""Sticky sessions: listed and dropped, in bounded slices."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adc.persistence.identity import member_id
from adc.persistence.listing import SessionFilter, SessionRow, candidate_keys, session_rows
from adc.runtime.errors import BuildError
from adc.runtime.operations.operation import BadRequest, Node, NodeOperation, Operation, Scope

if TYPE_CHECKING:
    from adc.pools.member import Member
    from adc.runtime.serve.view import Serving
    from adc.state.interface import Entry, Table

MOST_ROWS = 1000
SCANNED_PER_CALL = 20_000
"""Entries examined in one call, so that a filter that matches little is answered soon."""

_SLICE = 250
"""Entries examined in one loop iteration: one to two milliseconds."""

_DROPPED_SLICE = 50
"""Entries dropped in one loop iteration: each is a write."""

Place = tuple[str, str | None]
"""A pool, and the key (in hexadecimal) after which its table continues."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Some sessions: those that match every field given. Ages are seconds since a session was made.

    `limit` bounds the rows of a reply; `cursor` continues after the reply that returned it. With `if_any`, a pool
    without a table has no sessions, instead of being refused. Raises BadRequest.
    """

    pool: str = ""
    client: str = ""
    member: str = ""
    min_age: float | None = None
    max_age: float | None = None
    limit: int = MOST_ROWS
    cursor: str = ""
    if_any: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MOST_ROWS:
            raise BadRequest(f"limit is a number from 1 to {MOST_ROWS}")

    @property
    def filter(self) -> SessionFilter:
        """The conditions without the paging."""
        return SessionFilter(self.pool, self.client, self.member, self.min_age, self.max_age)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and the cursor of the next page: None after the last one."""

    rows: list[SessionRow]
    cursor: str | None


class ListSessions(Operation[Wanted, Page]):
    """List sessions, a page at a time. Tables of several workers are not paged."""

    name = "sessions.list"
    request, reply = Wanted, Page
    scope = Scope.STATE
    path = "/api/v1/sessions"

    async def run(self, worker: Serving, request: Wanted) -> Page:
        if request.if_any and request.pool in worker.runtime.pools and not _has_table(worker, request.pool):
            return Page([], None)
        runtime, tables = worker.runtime, _tables(worker, request.pool)
        now = worker.clock.wall
        rows: list[SessionRow] = []
        left = SCANNED_PER_CALL
        place: Place | None = _place(tables, request.cursor)
        while place is not None and left > 0 and len(rows) < request.limit:
            pool, after = place
            most = min(_SLICE, request.limit - len(rows))
            entries, following = _slice(tables[pool], request.client, after, most, now)
            left -= max(1, len(entries))
            stickiness = runtime.sticky[pool].stickiness
            members = runtime.pools[pool].members
            addresses = {member_id(pool, member.address): member.address for member in members}
            chosen = _by_address(members, request.filter)
            rows += session_rows(pool, addresses, entries, now, chosen, stickiness.slack, stickiness.timeout)
            place = (pool, following) if following is not None else _after(tables, pool)
            await asyncio.sleep(0)
        return Page(rows, None if place is None else f"{place[1] or ''}:{place[0]}")

    def merge(self, replies: Mapping[int, Page]) -> Page:
        latest: dict[tuple[str, str], SessionRow] = {}
        for _, page in sorted(replies.items()):
            for row in page.rows:
                known = latest.setdefault((row.pool, row.client), row)
                latest[row.pool, row.client] = max(known, row, key=lambda each: each.seen)
        return Page(list(latest.values()), None)


@dataclass(frozen=True, slots=True)
class DroppedPage:
    """The number of sessions dropped, and the cursor of the rest: None if there is none."""

    dropped: int
    cursor: str | None


class DropPage(Operation[Wanted, DroppedPage]):
    """Drop the sessions that `ListSessions` would list for the same request."""

    name = "sessions.drop_page"
    request, reply = Wanted, DroppedPage
    scope = Scope.STATE

    async def run(self, worker: Serving, request: Wanted) -> DroppedPage:
        tables = _tables(worker, request.pool)
        page = await LIST.run(worker, request)
        now = worker.clock.wall
        dropped = 0
        for number, row in enumerate(page.rows, 1):
            dropped += any(tables[row.pool].delete(key, now) for key in candidate_keys(row.client))
            if number % _DROPPED_SLICE == 0:
                await asyncio.sleep(0)
        return DroppedPage(dropped, page.cursor)

    def merge(self, replies: Mapping[int, DroppedPage]) -> DroppedPage:
        cursors = [page.cursor for page in replies.values() if page.cursor is not None]
        return DroppedPage(max(page.dropped for page in replies.values()), min(cursors) if cursors else None)


_NARROWING = ("pool", "client", "member", "min_age", "max_age")


@dataclass(frozen=True, slots=True)
class Unwanted(Wanted):
    """The sessions to drop: `all`, or those that match. Raises BadRequest."""

    all: bool = False

    def __post_init__(self) -> None:
        Wanted.__post_init__(self)
        narrowed = any(getattr(self, name) not in ("", None) for name in _NARROWING)
        if self.all == narrowed:
            raise BadRequest(f"say which: all=true, or some of {', '.join(_NARROWING)}")


@dataclass(frozen=True, slots=True)
class Dropped:
    """The number of sessions dropped."""

    dropped: int


class DropSessions(NodeOperation[Unwanted, Dropped]):
    """Drop sessions, page after page."""

    name = "sessions.drop"
    request, reply = Unwanted, Dropped
    method = "DELETE"
    path = "/api/v1/sessions"

    async def coordinate(self, node: Node, request: Unwanted) -> Dropped:
        dropped, cursor = 0, request.cursor
        while True:
            wanted = Wanted(*request.filter, limit=request.limit, cursor=cursor)
            page = await DROP_PAGE.coordinate(node, wanted)
            dropped += page.dropped
            if page.cursor is None:
                return Dropped(dropped)
            cursor = page.cursor


def _tables(worker: Serving, pool: str) -> dict[str, Table]:
    """Return the table of `pool`, or all tables by pool in order. Raises BuildError for a pool without a table."""
    tables = {
        pool: sticky.table for pool, sticky in worker.runtime.sticky.items() if sticky.table is not None
    }
    if not pool:
        return dict(sorted(tables.items()))
    if pool not in tables:
        raise BuildError(f"pool {pool} keeps no sessions in a table; those that do: {_named(tables)}")
    return {pool: tables[pool]}


def _has_table(worker: Serving, pool: str) -> bool:
    sticky = worker.runtime.sticky.get(pool)
    return sticky is not None and sticky.table is not None


def _named(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _by_address(members: Iterable[Member], wanted: SessionFilter) -> SessionFilter:
    """Return `wanted` with a member's name replaced by its address, which rows contain."""
    for member in members:
        if wanted.member == member.name:
            return wanted._replace(member=member.address)
    return wanted


def _place(tables: Mapping[str, Table], cursor: str) -> Place | None:
    """Return the point where a listing begins."""
    if not cursor:
        return _after(tables, "")
    key, _, pool = cursor.partition(":")
    if pool not in tables:
        return _after(tables, pool)
    return pool, key or None


def _after(tables: Mapping[str, Table], pool: str) -> Place | None:
    """Return the beginning of the next table."""
    return next(((name, None) for name in tables if name > pool), None)


def _slice(
    table: Table, client: str, after: str | None, limit: int, now: float
) -> tuple[list[tuple[bytes, Entry]], str | None]:
    """Return the next entries and the key to continue after; a named client needs no scan."""
    if client:
        return list(_of_client(table, client, now)), None
    try:
        page = table.scan(now, limit=limit, cursor=bytes.fromhex(after) if after else None)
    except ValueError as error:
        raise BuildError(f"{after!r} is not a cursor of an earlier reply") from error
    return page.entries, None if page.cursor is None else page.cursor.hex()


def _of_client(table: Table, client: str, now: float) -> Iterator[tuple[bytes, Entry]]:
    for key in dict.fromkeys(candidate_keys(client)):
        entry = table.get(key, now)
        if entry is not None:
            yield key, entry


LIST = ListSessions()
DROP_PAGE = DropPage()
DROP = DropSessions()
