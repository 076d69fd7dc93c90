"""Flows of the session table: listed and killed, in bounded slices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

from adc.runtime.operations.operation import BadRequest, Node, Operation, Scope
from adc.sessions.filter import FlowFilter
from adc.sessions.row import FlowRow, ended_row, flow_row

if TYPE_CHECKING:
    from adc.runtime.serve.view import Serving
    from adc.sessions.session import Session

MOST_ROWS: Final = 1000
SCANNED_PER_CALL: Final = 20_000
"""Sessions examined in one call of a listing."""

ROWS_PER_CALL: Final = 100
"""Most rows that a worker makes and packs at once, in less than a millisecond; the node asks again for the others."""

_SLICE: Final = 100
"""Sessions examined in one loop iteration: less than a millisecond."""

_ROWS_SLICE: Final = 25
"""Rows made in one loop iteration."""

_ENDED_SLICE: Final = 20
"""Sessions examined in one loop iteration where each may be ended."""

_OVER: Final = 1 << 62
_OVER_TEXT: Final = "-"
"""Place of a worker that has listed all."""

_MOST_DIGITS: Final = 40
"""Characters of a worker and a number: Python converts no text of more than 4300 digits."""

KILLED: Final = "killed"


@dataclass(frozen=True, slots=True)
class WantedFlows:
    """Flows that match every field given.

    `client` is an address, a network, or an address with its port; `id` is that of one flow; `idle` the minimum time
    without activity in seconds. `ended` selects those that ended lately. `limit` bounds the rows of a reply; `cursor`
    continues after the reply that returned it. Raises BadRequest.
    """

    protocol: str = ""
    listener: str = ""
    pool: str = ""
    member: str = ""
    client: str = ""
    state: str = ""
    idle: float | None = None
    id: str = ""
    ended: bool = False
    limit: int = MOST_ROWS
    cursor: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MOST_ROWS:
            raise BadRequest(f"limit is a number from 1 to {MOST_ROWS}")
        if self.id and _numbers(self.id) is None:
            raise BadRequest(f"{self.id!r} is no id of a flow, which is WORKER-NUMBER")
        places_of(self.cursor)
        try:
            self.filter(self.member)
        except ValueError as error:
            raise BadRequest(str(error)) from None

    def filter(self, member: str) -> FlowFilter:
        """Return the conditions without id and paging, for the member of that name."""
        return FlowFilter(self.protocol, self.listener, self.pool, member, self.client, self.state, self.idle)


@dataclass(frozen=True, slots=True)
class FlowPage:
    """Rows, and the cursor of the next page: None after the last one."""

    rows: list[FlowRow]
    cursor: str | None


class ListFlows(Operation[WantedFlows, FlowPage]):
    """List flows of the session table, a page at a time, in the order of worker and number."""

    name = "flows.list"
    request, reply = WantedFlows, FlowPage
    scope = Scope.ALL
    path = "/api/v1/flows"

    async def run(self, worker: Serving, request: WantedFlows) -> FlowPage:
        after = places_of(request.cursor).get(worker.worker_id, 0)
        if request.ended:
            return await _ended_page(worker, request, after)
        rows: list[FlowRow] = []
        scan = _Scan(worker, request, after)
        async for session in scan.matching(SCANNED_PER_CALL):
            rows.append(flow_row(session, worker.worker_id, time.monotonic(), time.time()))
            if len(rows) >= min(request.limit, ROWS_PER_CALL):
                break
            if len(rows) % _ROWS_SLICE == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(0)  # rows are packed in an iteration without the last slice
        return FlowPage(rows, None if scan.over else str(scan.position))

    async def coordinate(self, node: Node, request: WantedFlows) -> FlowPage:
        rows: list[FlowRow] = []
        while True:
            page = _joined(await node.all(self, request), request)
            rows += page.rows
            left = request.limit - len(page.rows)
            if not page.rows or not left or page.cursor is None:
                return FlowPage(rows, page.cursor)
            request = replace(request, limit=left, cursor=page.cursor)


@dataclass(frozen=True, slots=True)
class UnwantedFlows(WantedFlows):
    """The flows to kill: `all`, or those that match. Raises BadRequest."""

    all: bool = False

    def __post_init__(self) -> None:
        WantedFlows.__post_init__(self)
        narrowed = any(getattr(self, name) not in ("", None) for name in NARROWING)
        if self.all == narrowed:
            raise BadRequest(f"say which: all=true, or some of {', '.join(NARROWING)}")
        if self.ended or self.cursor or self.limit != MOST_ROWS:
            raise BadRequest("ended, limit and cursor are for lists: a kill ends all flows that match")


NARROWING: Final = ("protocol", "listener", "pool", "member", "client", "state", "idle", "id")


@dataclass(frozen=True, slots=True)
class Killed:
    """The number of flows killed."""

    killed: int


class KillFlows(Operation[UnwantedFlows, Killed]):
    """End flows at both ends: TCP connections are reset. Flows that open meanwhile stay."""

    name = "flows.kill"
    request, reply = UnwantedFlows, Killed
    scope = Scope.ALL
    timeout: ClassVar[float] = 30.0
    method = "DELETE"
    path = "/api/v1/flows"

    async def run(self, worker: Serving, request: UnwantedFlows) -> Killed:
        killed = 0
        scan = _Scan(worker, request, 0, _ENDED_SLICE)
        async for session in scan.matching(1 << 60):
            session.end(KILLED)
            killed += 1
        return Killed(killed)

    def merge(self, replies: Mapping[int, Killed]) -> Killed:
        return Killed(sum(reply.killed for reply in replies.values()))


class _Scan:
    """A walk over the sessions of a worker that match, up to those that were open when it began.

    `position` is the last number examined; `over` is True after the last session.
    """

    def __init__(self, worker: Serving, wanted: WantedFlows, after: int, slice_: int = _SLICE) -> None:
        self.position = after
        self.over = False
        self._table = worker.sessions.table
        self._last = self._table.opened
        self._filter = wanted.filter(_member(worker, wanted))
        self._slice = slice_
        if wanted.id:
            of, number = _numbers(wanted.id) or (-1, -1)
            mine = of == worker.worker_id and number > after
            self.position, self._last = (number - 1, number) if mine else (0, 0)

    async def matching(self, most: int) -> AsyncIterator[Session]:
        """Yield the sessions that match among the next `most`; other work has its turn after each slice."""
        while most > 0:
            page = self._table.scan(self.position, self._slice)
            most -= self._slice
            for session in page:
                if session.number > self._last:
                    self.over = True
                    return
                self.position = session.number
                if self._filter.matches(session, time.monotonic()):
                    yield session
            if len(page) < self._slice or self.position >= self._last:
                self.over = True
                return
            await asyncio.sleep(0)


async def _ended_page(worker: Serving, wanted: WantedFlows, after: int) -> FlowPage:
    """Return flows that have ended, in the order of their end; the cursor counts all that ended in this worker."""
    accepts = wanted.filter(_member(worker, wanted)).matches
    ended = worker.sessions.ended
    count = ended.count
    position = max(after, count - len(ended.recent))
    later = list(ended.recent)[position - count :] if position < count else []
    rows: list[FlowRow] = []
    for each in later:
        now = time.monotonic()
        if accepts(each, now) and wanted.id in ("", f"{worker.worker_id}-{each.number}"):
            rows.append(ended_row(each, worker.worker_id, now, time.time()))
        position += 1
        if len(rows) >= min(wanted.limit, ROWS_PER_CALL):
            break
        if position % _SLICE == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    return FlowPage(rows, str(position) if position < count else None)


def _joined(replies: Mapping[int, FlowPage], request: WantedFlows) -> FlowPage:
    """Return one page of the pages of several workers, in order.

    A page that is over the limit, or behind rows that a worker has left, comes again with the next reply.
    """
    before = places_of(request.cursor)
    rows: list[FlowRow] = []
    places: dict[int, str] = {}
    has_left = False
    for worker, page in sorted(replies.items()):
        if before.get(worker) == _OVER:
            places[worker] = _OVER_TEXT
        elif has_left or len(rows) + len(page.rows) > request.limit:
            places[worker] = str(before.get(worker, 0))
            has_left = True
        else:
            rows += page.rows
            places[worker] = _OVER_TEXT if page.cursor is None else page.cursor
            has_left = page.cursor is not None
    if all(place == _OVER_TEXT for place in places.values()):
        return FlowPage(rows, None)
    return FlowPage(rows, ",".join(f"{worker}:{place}" for worker, place in places.items()))


def places_of(cursor: str) -> dict[int, int]:
    """Return the numbers after which each worker continues, `_OVER` for one that is done. Raises BadRequest."""
    found: dict[int, int] = {}
    for part in cursor.split(",") if cursor else ():
        worker, _, place = part.partition(":")
        known = worker.isdecimal() and (place.isdecimal() or place == _OVER_TEXT)
        if not known or len(part) > _MOST_DIGITS:
            raise BadRequest(f"{cursor!r} is no cursor of an earlier reply")
        found[int(worker)] = _OVER if place == _OVER_TEXT else int(place)
    return found


def _numbers(text: str) -> tuple[int, int] | None:
    """Return worker and number of the id of a flow, None if it is none."""
    worker, _, number = text.partition("-")
    if not (worker.isdecimal() and number.isdecimal() and len(text) <= _MOST_DIGITS):
        return None
    return int(worker), int(number)


def _member(worker: Serving, wanted: WantedFlows) -> str:
    """Return the name of the member wanted, which may be given by its address."""
    for pool in worker.runtime.pools.values():
        if wanted.pool in ("", pool.name):
            for member in pool.members:
                if wanted.member == member.address:
                    return member.name
    return wanted.member


LIST = ListFlows()
KILL = KillFlows()
