"""The session table under any sequence of events: never over its size, and each session ends exactly once."""

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from adc.sessions.ended import EndedSessions
from adc.sessions.session import CLOSING, ESTABLISHED, HALF_CLOSED, NEW, Session, Timeouts
from adc.sessions.table import SessionTable

SIZE = 6
TIMES = {"db": Timeouts(1.0, 10.0, 0.5), "dns": Timeouts(0.2, 0.0, 0.2)}


class Flow(Session):
    def __init__(self, model, listener):
        super().__init__("tcp", listener, ("192.0.2.1", 1), None, TIMES[listener])
        self.model = model

    def end(self, reason):
        self.model.table.closed(self, reason, self.model.now)


def linked(flow, link):
    """The sessions of a list from `flow` on."""
    while flow is not None:
        yield flow
        flow = getattr(flow, link)


class AnyEvents(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now = 1000.0
        self.most = SIZE
        self.table = SessionTable(SIZE)
        self.ended = EndedSessions()
        self.ends = Counter()
        self.table.ended = self.note
        self.flows = []

    def note(self, flow, reason, now):
        self.ended.add(flow, reason, now)
        self.ends[flow.number] += 1

    @rule(listener=st.sampled_from(sorted(TIMES)))
    def open(self, listener):
        flow = Flow(self, listener)
        self.table.open(flow, self.now)
        self.flows.append(flow)

    @rule(place=st.integers(0, 20), state=st.sampled_from([ESTABLISHED, HALF_CLOSED, CLOSING]))
    def move(self, place, state):
        if self.flows:
            self.table.moved(self.flows[place % len(self.flows)], state, self.now)

    @rule(place=st.integers(0, 20))
    def send(self, place):
        if self.flows:
            self.flows[place % len(self.flows)].last = self.now

    @rule(place=st.integers(0, 20))
    def close(self, place):
        if self.flows:
            flow = self.flows[place % len(self.flows)]
            for _ in range(2):
                self.table.closed(flow, "closed", self.now)

    @rule(place=st.integers(0, 20))
    def complete(self, place):
        if self.flows:
            flow = self.flows[place % len(self.flows)]
            if flow.number not in self.ends:
                self.table.ending(flow, ESTABLISHED, self.now)
                self.table.closed(flow, "complete", self.now)
                assert self.ended.recent[-1].state == ESTABLISHED

    @rule(seconds=st.sampled_from([0.05, 0.1, 0.3, 1.0, 7.0, 11.0]))
    def pass_time(self, seconds):
        self.now += seconds
        while self.table.tick(self.now):
            pass
        for flow in self.table.scan(0, 100):
            assert self.now - flow.last <= flow.timeouts.of(flow.state) + 0.1

    @rule(size=st.integers(1, SIZE))
    def resize(self, size):
        self.table.resize(size, 1)
        while self.table.tick(self.now):
            pass

    @invariant()
    def size_is_kept(self):
        assert len(self.table) <= self.table.size

    @invariant()
    def counters_agree(self):
        open_now = self.table.scan(0, 100)
        assert set(self.ends.values()) <= {1}
        assert self.table.opened == len(open_now) + sum(self.ended.counts.values())
        assert sum(ring.count for ring in self.table.rings()) == len(open_now) == len(self.table)
        assert {flow.number for flow in self.flows} - self.ends.keys() == {flow.number for flow in open_now}

    @invariant()
    def lists_hold_the_open_sessions(self):
        open_now = self.table.scan(0, 100)
        in_buckets = {
            flow.number
            for ring in self.table.rings()
            for bucket in ring._buckets.values()
            for flow in linked(bucket.first, "next")
        }
        assert in_buckets == {flow.number for flow in open_now}
        new = [flow.number for flow in linked(self.table._new.oldest, "newer")]
        assert new == [flow.number for flow in open_now if flow.state == NEW]

    @invariant()
    def new_sessions_make_room_first(self):
        evicted = [each for each in self.ended.recent if each.reason == "evicted" and each.at == self.now]
        for each in evicted:
            older = [flow for flow in self.table.scan(0, 100) if flow.number < each.number]
            assert each.state == NEW or not any(flow.state == NEW for flow in older)


TestAnyEvents = AnyEvents.TestCase
