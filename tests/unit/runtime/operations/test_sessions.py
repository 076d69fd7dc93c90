"""Sessions of several workers' tables, and dropping them page by page."""

import asyncio
import pickle
from types import SimpleNamespace

import pytest

from adc.persistence.listing import SessionRow
from adc.persistence.pin import Pin
from adc.runtime.operations import sessions
from adc.runtime.operations.operation import BadRequest
from adc.runtime.operations.sessions import DroppedPage, Page, Unwanted, Wanted
from adc.state.memory import MemoryTable
from tests.kit.turns import turns_during


def row(client, seen, member="m"):
    return SessionRow("app", client, member, 0.0, seen, 1.0, "", 0, 0)


def test_workers_with_their_own_tables_give_the_latest_row_of_each_client_and_no_cursor():
    pages = {
        0: Page([row("ann", 1.0), row("bob", 5.0)], "aa:app"),
        1: Page([row("ann", 2.0, "other")], None),
    }
    assert sessions.LIST.merge(pages) == Page([row("ann", 2.0, "other"), row("bob", 5.0)], None)


class FakeNode:
    """Workers that share a table of two pages."""

    shares_state = True

    def __init__(self):
        self.cursors = []

    async def one(self, operation, request):
        assert operation is sessions.DROP_PAGE
        self.cursors.append(request.cursor)
        return DroppedPage(2, "aa:app") if not request.cursor else DroppedPage(1, None)


async def test_sessions_are_dropped_page_after_page():
    node = FakeNode()
    assert (await sessions.DROP.coordinate(node, Unwanted(all=True))).dropped == 3
    assert node.cursors == ["", "aa:app"]


def test_own_tables_are_dropped_on_from_the_first_cursor():
    pages = {0: DroppedPage(2, "cc:app"), 1: DroppedPage(3, "bb:app"), 2: DroppedPage(1, None)}
    assert sessions.DROP_PAGE.merge(pages) == DroppedPage(3, "bb:app")


@pytest.mark.parametrize("wrong", [{}, {"all": True, "pool": "app"}, {"pool": ""}, {"limit": 5}])
def test_drop_names_all_or_some(wrong):
    with pytest.raises(BadRequest, match="say which"):
        Unwanted(**wrong)


@pytest.mark.parametrize("limit", [0, 1001])
def test_limit_outside_its_range_is_refused(limit):
    with pytest.raises(BadRequest, match="limit is a number from 1 to 1000"):
        Wanted(limit=limit)


def test_an_age_of_zero_narrows_a_drop():
    assert Unwanted(max_age=0.0).filter.max_age == 0.0


def test_rows_are_the_same_after_their_way_between_processes():
    assert pickle.loads(pickle.dumps(row("ann", 1.0))) == row("ann", 1.0)


def worker_with(pins):
    """A worker with a table of so many pins."""
    table = MemoryTable("app", 10_000)
    for number in range(pins):
        table.set(b"k%05d" % number, Pin(b"m" * 8, 1.0, 2.0).pack(), 100.0, 0.0)
    sticky = SimpleNamespace(table=table, stickiness=SimpleNamespace(slack=0.0, timeout=100.0))
    runtime = SimpleNamespace(sticky={"app": sticky}, pools={"app": SimpleNamespace(members=[])})
    return SimpleNamespace(runtime=runtime, clock=SimpleNamespace(wall=3.0))


@pytest.mark.parametrize("wanted", [Wanted(), Wanted(member="nobody")])
async def test_listing_lets_others_have_their_turn(wanted):
    page, turns = await turns_during(sessions.LIST.run(worker_with(2000), wanted))
    assert len(page.rows) == (0 if wanted.member else 1000)
    assert turns >= 4


async def test_dropping_lets_others_have_their_turn():
    worker = worker_with(1000)
    page, turns = await turns_during(sessions.DROP_PAGE.run(worker, Wanted()))
    assert (page.dropped, len(worker.runtime.sticky["app"].table)) == (1000, 0)
    assert turns >= 20


async def test_listing_goes_on_with_the_members_that_it_began_with():
    worker = worker_with(1000)
    listing = asyncio.create_task(sessions.LIST.run(worker, Wanted()))
    await asyncio.sleep(0)
    worker.runtime = SimpleNamespace(sticky={}, pools={})
    assert len((await listing).rows) == 1000
