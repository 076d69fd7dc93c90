"""The session table against a list, under random traffic and a clock that only goes forward."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from adc.sessions.ring import GRAIN
from adc.sessions.session import CLOSING, ESTABLISHED, HALF_CLOSED, NEW, TRANSITIONS, Session, Timeouts
from adc.sessions.table import SessionTable

SIZE = 6
LISTENERS = ("db", "dns")


class Flow(Session):
    def __init__(self, table: SessionTable, listener: str, timeouts: Timeouts) -> None:
        super().__init__("tcp", listener, None, None, timeouts)
        self.table = table
        self.now = 0.0
        self.reason = ""

    def end(self, reason: str) -> None:
        self.table.closed(self, reason, self.now)


class Model(RuleBasedStateMachine):
    flows = Bundle("flows")

    def __init__(self) -> None:
        super().__init__()
        self.table = SessionTable(SIZE)
        self.table.ended = self.ended
        self.timeouts = {"db": Timeouts(10.0, 100.0, 5.0), "dns": Timeouts(1.0, 3.0, 1.0)}
        self.now = 1000.0
        self.live: list[Flow] = []
        self.victim: Flow | None = None

    def ended(self, session: Session, reason: str, now: float) -> None:
        assert isinstance(session, Flow)
        assert not session.reason, "reported twice"
        session.reason = reason
        self.live.remove(session)
        if reason == "evicted":
            self.victim = session

    @rule(target=flows, listener=st.sampled_from(LISTENERS))
    def open(self, listener: str) -> Flow:
        before = list(self.live)
        self.victim = None
        flow = Flow(self.table, listener, self.timeouts[listener])
        self.table.open(flow, self.now)
        self.live.append(flow)
        assert (self.victim is None) == (len(before) < SIZE)
        if self.victim is not None:
            self.check_victim(self.victim, before)
        return flow

    def check_victim(self, victim: Flow, before: list[Flow]) -> None:
        new = [each for each in before if each.state == NEW]
        if new:
            assert victim is min(new, key=lambda each: each.number)
        else:
            assert int(victim.last / GRAIN) == min(int(each.last / GRAIN) for each in before)

    @rule(flow=flows)
    def traffic(self, flow: Flow) -> None:
        if flow in self.live:
            flow.last = self.now

    @rule(flow=flows, state=st.sampled_from([NEW, ESTABLISHED, HALF_CLOSED, CLOSING]))
    def move(self, flow: Flow, state: int) -> None:
        before = flow.state
        self.table.moved(flow, state, self.now)
        assert flow.state == (state if state in TRANSITIONS[before] else before)

    @rule(flow=flows)
    def close(self, flow: Flow) -> None:
        self.table.closed(flow, "client", self.now)
        assert flow.reason

    @rule(listener=st.sampled_from(LISTENERS), seconds=st.sampled_from([0.5, 3.0, 100.0]))
    def reload(self, listener: str, seconds: float) -> None:
        self.timeouts[listener].established = seconds

    @rule(seconds=st.sampled_from([0.05, 0.1, 0.9, 4.0, 30.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        due = [each for each in self.live if each.deadline <= self.now - 2 * GRAIN]
        early = [each for each in self.live if each.deadline > self.now + 1e-6]
        while self.table.tick(self.now):
            pass
        assert all(each.reason == "expired" for each in due)
        assert not any(each.reason for each in early)

    @invariant()
    def agrees(self) -> None:
        live = sorted(self.live, key=lambda each: each.number)
        assert self.table.scan(0, 99) == live
        assert sum(ring.count for ring in self.table.rings()) == len(self.table) == len(live)
        for place, flow in enumerate(live):
            assert self.table.find(flow.number) is flow
            assert self.table.scan(flow.number, 2) == live[place + 1 : place + 3]


TestSessionTable = Model.TestCase
TestSessionTable.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
