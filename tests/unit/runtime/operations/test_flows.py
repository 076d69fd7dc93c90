"""Flows of several workers: pages, filters, and killing in slices."""

import pickle
from types import SimpleNamespace

import pytest

from adc.runtime.operations import flows
from adc.runtime.operations.flows import UnwantedFlows, WantedFlows
from adc.runtime.operations.operation import BadRequest
from adc.runtime.serve.sessions import WorkerSessions
from adc.sessions.ended import KEPT
from adc.sessions.row import flow_row
from adc.sessions.session import Session, Timeouts
from tests.kit.turns import turns_during

TIMES = Timeouts(10.0, 100.0, 5.0)


class Flow(Session):
    def __init__(self, table, client):
        super().__init__("udp", "dns", client, None, TIMES)
        self.table = table
        self.pool, self.member = "app", "a"

    def end(self, reason):
        self.table.closed(self, reason, 0.0)


class FakeNode:
    """Workers by number, each with its own table."""

    shares_state = True

    def __init__(self, *counts):
        member = SimpleNamespace(name="a", address="10.0.0.1:53")
        pools = {"app": SimpleNamespace(name="app", members=[member])}
        self.workers = {}
        for number, count in enumerate(counts):
            sessions = WorkerSessions()
            worker = SimpleNamespace(
                worker_id=number, sessions=sessions, runtime=SimpleNamespace(pools=pools)
            )
            for place in range(count):
                sessions.table.open(Flow(sessions.table, (f"10.{number}.0.{place % 250}", 1000)), 0.0)
            self.workers[number] = worker

    async def all(self, operation, request):
        return {number: await operation.run(worker, request) for number, worker in self.workers.items()}


async def listed(node, **conditions):
    """Return the ids of all pages."""
    found, cursor, sizes = [], "", []
    while cursor is not None:
        page = await flows.LIST.coordinate(node, WantedFlows(cursor=cursor, **conditions))
        found += [row.id for row in page.rows]
        sizes.append(len(page.rows))
        cursor = page.cursor
    assert max(sizes) <= conditions.get("limit", 1000)
    return found


@pytest.mark.parametrize("cursor", ["x", "0:x", "0", "0:" + "9" * 5000, "9" * 5000 + ":1"])
def test_cursor_of_no_reply_is_refused(cursor):
    with pytest.raises(BadRequest):
        WantedFlows(cursor=cursor)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
async def test_pages_contain_every_flow_of_every_worker_once(limit):
    node = FakeNode(3, 0, 4)
    assert await listed(node, limit=limit) == ["0-1", "0-2", "0-3", "2-1", "2-2", "2-3", "2-4"]


async def test_rows_that_a_worker_has_left_come_before_those_of_the_next(monkeypatch):
    monkeypatch.setattr(flows, "ROWS_PER_CALL", 2)
    node = FakeNode(5, 3)
    assert await listed(node) == ["0-1", "0-2", "0-3", "0-4", "0-5", "1-1", "1-2", "1-3"]


async def test_filter_that_matches_little_walks_on_over_pages(monkeypatch):
    monkeypatch.setattr(flows, "SCANNED_PER_CALL", 300)
    node = FakeNode(900)
    node.workers[0].sessions.table.open(Flow(node.workers[0].sessions.table, ("192.0.2.1", 1)), 0.0)
    assert await listed(node, client="192.0.2.0/24", limit=5) == ["0-901"]


async def test_one_flow_by_its_id_or_all_of_a_member_by_its_address():
    node = FakeNode(3, 3)
    assert await listed(node, id="1-2") == ["1-2"]
    assert await listed(node, id="1-9") == []
    assert len(await listed(node, member="10.0.0.1:53")) == 6
    assert await listed(node, member="10.0.0.2:53") == []


async def test_kill_ends_what_matches_in_all_workers():
    node = FakeNode(600, 2)
    replies = await node.all(flows.KILL, UnwantedFlows(client="10.0.0.0/16"))
    assert flows.KILL.merge(replies).killed == 600
    assert await listed(node) == ["1-1", "1-2"]
    assert node.workers[0].sessions.ended.counts == {("udp", "dns", "killed"): 600}


async def test_ended_flows_are_listed_with_their_reason():
    node = FakeNode(3, 1)
    await node.all(flows.KILL, UnwantedFlows(all=True))
    assert await listed(node, ended=True, limit=2) == ["0-1", "0-2", "0-3", "1-1"]
    page = await flows.LIST.coordinate(node, WantedFlows(ended=True, id="1-1"))
    assert [row.reason for row in page.rows] == ["killed"]
    assert page.rows[0].ended - page.rows[0].created == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("ended", [False, True])
async def test_no_worker_makes_more_rows_at_once_than_it_may(ended):
    node = FakeNode(250, 250)
    if ended:
        await node.all(flows.KILL, UnwantedFlows(all=True))
    largest = 0
    answers = node.all

    async def watched(operation, request):
        nonlocal largest
        replies = await answers(operation, request)
        largest = max(largest, *(len(page.rows) for page in replies.values()))
        return replies

    node.all = watched
    page = await flows.LIST.coordinate(node, WantedFlows(ended=ended, limit=400))
    assert [row.id for row in page.rows] == [f"{n // 250}-{n % 250 + 1}" for n in range(400)]
    assert largest == flows.ROWS_PER_CALL


async def test_pages_of_ended_flows_go_on_where_they_were_although_more_end():
    node = FakeNode(20)
    table = node.workers[0].sessions.table
    found = []
    page = flows.FlowPage([], "")
    while page.cursor is not None:
        for session in table.scan(0, 3):
            session.end("killed")
        page = await flows.LIST.coordinate(node, WantedFlows(ended=True, limit=2, cursor=page.cursor))
        found += [row.id for row in page.rows]
    assert found == [f"0-{number}" for number in range(1, 21)]


async def test_ended_flows_that_are_forgotten_are_passed_over():
    node = FakeNode(3)
    first = await flows.LIST.coordinate(node, WantedFlows(ended=True, cursor="0:0"))
    assert first == flows.FlowPage([], None)
    sessions = node.workers[0].sessions
    for _ in range(KEPT + 10):
        sessions.table.open(Flow(sessions.table, ("10.0.0.1", 1000)), 0.0)
    await node.all(flows.KILL, UnwantedFlows(all=True))
    assert (await listed(node, ended=True))[0] == "0-14"


@pytest.mark.parametrize("wrong", [{}, {"all": True, "state": "new"}, {"limit": 5}])
def test_kill_names_all_or_some(wrong):
    with pytest.raises(BadRequest, match="say which"):
        UnwantedFlows(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"id": "x"}, {"cursor": "0:x"}, {"cursor": "-"}, {"state": "open"}]
)
def test_bad_requests_are_refused(wrong):
    with pytest.raises(BadRequest):
        WantedFlows(**wrong)


async def test_metrics_count_open_and_ended_sessions():
    node = FakeNode(3)
    sessions = node.workers[0].sessions
    sessions.table.find(1).end("complete")
    samples = {(each.name, each.labels): each.value for each in sessions.samples()}
    assert samples["adc_sessions", ("udp", "dns", "new")] == 2
    assert samples["adc_sessions_ended_total", ("udp", "dns", "complete")] == 1
    assert samples["adc_sessions_opened_total", ("udp", "dns")] == 3


@pytest.mark.parametrize("conditions", [{}, {"client": "192.0.2.0/24"}])
async def test_listing_of_ended_flows_lets_others_have_their_turn(conditions):
    node = FakeNode(1000)
    await node.all(flows.KILL, UnwantedFlows(all=True))
    found, turns = await turns_during(listed(node, ended=True, **conditions))
    assert len(found) == (0 if conditions else 1000)
    assert turns >= 4


def test_rows_are_the_same_after_their_way_between_processes():
    worker = FakeNode(1).workers[0]
    row = flow_row(worker.sessions.table.find(1), 0, 1.0, 2.0)
    assert pickle.loads(pickle.dumps(row)) == row


@pytest.mark.parametrize("paging", [{"ended": True}, {"limit": 10}, {"cursor": "0:1"}])
def test_kill_refuses_what_would_not_bound_it(paging):
    with pytest.raises(BadRequest, match="are for lists"):
        UnwantedFlows(client="192.0.2.0/24", **paging)
