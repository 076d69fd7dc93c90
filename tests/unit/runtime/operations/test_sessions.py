"""Sessions of several workers' tables, and dropping them page by page."""

import pytest

from adc.persistence.listing import SessionRow
from adc.runtime.operations import sessions
from adc.runtime.operations.operation import BadRequest
from adc.runtime.operations.sessions import DroppedPage, Page, Unwanted, Wanted


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
