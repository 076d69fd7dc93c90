"""The session table: what it remembers, for how long, and who makes room."""

from weakref import ref

import pytest

from adc.sessions.session import CLOSING, ESTABLISHED, HALF_CLOSED, NEW, Session, Timeouts
from adc.sessions.shared_total import SharedTotal
from adc.sessions.table import END_EFFORT, SLICE, SessionTable

TIMES = Timeouts(10.0, 100.0, 5.0)


class Flow(Session):
    __slots__ = ("__weakref__", "ends", "now", "probed", "table")

    def __init__(self, table: SessionTable, name: str = "") -> None:
        super().__init__("tcp", "db", (name, 1), None, TIMES)
        self.table = table
        self.now = 0.0
        self.ends: list[str] = []
        self.probed = -1.0

    def end(self, reason: str) -> None:
        self.ends.append(reason)
        self.table.closed(self, reason, self.now)

    def alive_at(self, now: float) -> float:
        return self.probed


def opened(table: SessionTable, now: float = 1000.0, state: int = NEW) -> Flow:
    flow = Flow(table)
    table.open(flow, now)
    if state != NEW:
        table.moved(flow, state, now)
    return flow


def ticks(table: SessionTable, start: float, end: float) -> None:
    for tenth in range(int(start * 10), int(end * 10) + 1):
        while table.tick(tenth / 10):
            pass


def test_new_session_expires_after_its_timeout() -> None:
    table = SessionTable()
    flow = opened(table)
    ticks(table, 1000, 1009.9)
    assert flow.ends == []
    ticks(table, 1010, 1010.2)
    assert (flow.ends, len(table)) == (["expired"], 0)


def test_traffic_postpones_expiry_without_calling_the_table() -> None:
    table = SessionTable()
    flow = opened(table, state=ESTABLISHED)
    ticks(table, 1000, 1090)
    flow.last = 1090.0
    ticks(table, 1090, 1189.9)
    assert flow.ends == []
    ticks(table, 1190, 1190.2)
    assert flow.ends == ["expired"]


def test_shorter_timeout_of_a_later_state_counts() -> None:
    table = SessionTable()
    flow = opened(table, state=ESTABLISHED)
    table.moved(flow, HALF_CLOSED, 1001.0)
    ticks(table, 1000, 1005.9)
    assert flow.ends == []
    ticks(table, 1006, 1006.2)
    assert flow.ends == ["expired"]


def test_states_never_go_back() -> None:
    table = SessionTable()
    flow = opened(table, state=CLOSING)
    table.moved(flow, ESTABLISHED, 1001.0)
    assert flow.state == CLOSING


def test_acknowledged_probe_counts_as_activity() -> None:
    table = SessionTable()
    flow = opened(table, state=ESTABLISHED)
    flow.probed = 1095.0
    ticks(table, 1000, 1194.9)
    assert flow.ends == []
    ticks(table, 1195, 1195.2)
    assert flow.ends == ["expired"]


def test_full_table_ends_the_oldest_new_session_first() -> None:
    table = SessionTable(3)
    busy = opened(table, 1000.0, ESTABLISHED)
    first, second = opened(table, 1001.0), opened(table, 1002.0)
    opened(table, 1003.0)
    assert (first.ends, second.ends, busy.ends) == (["evicted"], [], [])


def test_full_table_without_new_sessions_ends_the_one_idle_longest() -> None:
    table = SessionTable(3)
    flows = [opened(table, 1000.0 + place, ESTABLISHED) for place in range(3)]
    flows[0].last = 1050.0
    opened(table, 1051.0)
    assert [flow.ends for flow in flows] == [[], ["evicted"], []]


def test_room_for_one_protocol_is_made_by_its_own_sessions() -> None:
    table = SessionTable()
    connection = opened(table, 1000.0)
    idle, new = opened(table, 1001.0, ESTABLISHED), opened(table, 1002.0)
    for flow in (idle, new):
        table.closed(flow, "", 1002.0)
        flow.protocol, flow.state = "udp", NEW
        table.open(flow, flow.created)
    table.moved(idle, ESTABLISHED, 1001.0)
    assert [table.make_room(1003.0, "udp") for _ in range(3)] == [True, True, False]
    assert (new.ends, idle.ends, connection.ends) == (["evicted"], ["evicted"], [])


def test_tick_ends_a_bounded_number_at_once() -> None:
    table = SessionTable()
    for _ in range(200):
        opened(table)
    left = len(table)
    while table.tick(1011.0):
        assert 0 < left - len(table) <= SLICE // END_EFFORT
        left = len(table)
    assert len(table) == 0


def test_ended_sessions_are_freed_at_once() -> None:
    table = SessionTable()
    flow = opened(table, state=ESTABLISHED)
    gone = ref(flow)
    flow.end("client")
    del flow
    assert gone() is None


def test_shorter_timeout_of_a_reload_counts_for_open_sessions() -> None:
    table = SessionTable()
    other = opened(table, state=ESTABLISHED)
    try:
        TIMES.established = 20.0
        ticks(table, 1000, 1020.2)
        assert other.ends == ["expired"]
    finally:
        TIMES.established = 100.0


def test_listeners_that_are_gone_are_forgotten_once_empty() -> None:
    table = SessionTable()
    flow = opened(table)
    table.forget_listeners([])
    assert [ring.count for ring in table.rings()] == [1]
    flow.end("killed")
    table.forget_listeners([])
    assert not list(table.rings())


def test_scan_pages_in_the_order_of_creation() -> None:
    table = SessionTable()
    flows = [opened(table) for _ in range(5)]
    flows[1].end("killed")
    page = table.scan(0, 2)
    assert [each.number for each in page] == [1, 3]
    assert [each.number for each in table.scan(page[-1].number, 9)] == [4, 5]


def test_end_is_reported_once_with_its_reason() -> None:
    seen: list[tuple[int, str]] = []
    table = SessionTable()
    table.ended = lambda session, reason, now: seen.append((session.number, reason))
    flow = opened(table)
    flow.end("killed")
    table.closed(flow, "again", 1001.0)
    ticks(table, 1000, 1020)
    assert seen == [(1, "killed")]


def test_smaller_table_is_reached_in_slices() -> None:
    table = SessionTable()
    flows = [opened(table) for _ in range(1000)]
    table.resize(10, 1)
    opened(table)
    assert len(table) > 900
    assert table.tick(1000.0)
    assert len(table) > 800
    ticks(table, 1000, 1000)
    assert len(table) == 10
    assert sum(flow.ends == ["evicted"] for flow in flows) == 991


def test_quiet_sessions_of_a_listener_end_in_slices() -> None:
    table = SessionTable()
    quiet = [opened(table, 1000.0) for _ in range(SLICE // END_EFFORT + 1)]
    active = opened(table, 1000.0, ESTABLISHED)
    active.last = 1004.0
    assert not table.end_quiet("other", 2.0, "shutdown", 1005.0)
    assert table.end_quiet("db", 2.0, "shutdown", 1005.0)
    assert not table.end_quiet("db", 2.0, "shutdown", 1005.0)
    assert [flow.ends for flow in quiet] == [["shutdown"]] * len(quiet)
    assert active.ends == []


def two_tables(size: int) -> tuple[SessionTable, SessionTable]:
    cells = [0, 0]
    tables = tuple(SessionTable(total=SharedTotal(cells, number)) for number in (0, 1))
    for table in tables:
        table.resize(size, 2)
    return tables[0], tables[1]


def test_size_holds_for_all_workers_together() -> None:
    one, other = two_tables(10)
    flows = [opened(one, 1000.0 + number) for number in range(8)]
    more = [opened(other, 1010.0 + number) for number in range(2)]
    assert (len(one), len(other)) == (8, 2)
    late = opened(one, 1020.0)
    assert [flow.ends for flow in flows[:2]] == [["evicted"], []]
    assert [flow.ends for flow in (*more, late)] == [[], [], []]


def test_worker_with_less_than_its_part_finds_room_in_the_others() -> None:
    one, other = two_tables(4)
    flows = [opened(one, 1000.0 + number) for number in range(4)]
    fresh = opened(other, 1010.0)
    assert (len(one), len(other), fresh.ends) == (4, 1, [])
    one.tick(1010.1)
    assert (len(one), flows[0].ends) == (3, ["evicted"])
    assert not other.tick(1010.1)
    assert len(other) == 1


def test_worker_that_left_or_was_replaced_counts_no_more() -> None:
    cells = [0, 0]
    one, other = (SessionTable(total=SharedTotal(cells, number)) for number in (0, 1))
    opened(one)
    opened(other)
    other.total.follow(2)
    assert other.total.elsewhere() == 1
    one.total.leave()
    assert other.total.elsewhere() == 0
    opened(one)
    assert other.total.elsewhere() == 0
    SharedTotal(cells, 1)
    one_again = SharedTotal(cells, 0)
    one_again.follow(2)
    assert one_again.elsewhere() == 0


def test_session_that_fails_to_end_makes_room_once() -> None:
    class Broken(Flow):
        def end(self, reason: str) -> None:
            raise RuntimeError("a defect")

    table = SessionTable(1)
    table.open(Broken(table), 1000.0)
    with pytest.raises(RuntimeError):
        opened(table, 1001.0)
    opened(table, 1002.0)
    assert len(table) == 1
