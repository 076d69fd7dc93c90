"""Each backend against a dict, under random operations and a clock that only goes forward."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from adc.state.interface import Store
from adc.state.local import LocalStore
from adc.state.memory import MemoryStore

KEYS = st.sampled_from([b"a", b"b", b"ba", b"c" * 255, b"\0", b"\xff\xff"])
VALUES = st.binary(max_size=40)
TTLS = st.sampled_from([0.5, 1.0, 5.0, 60.0])


class Model(RuleBasedStateMachine):
    """The table has room for all keys, so nothing is evicted: it must agree with the dict exactly."""

    def __init__(self) -> None:
        super().__init__()
        self.store = self.make()
        self.table = self.store.table("t", 100)
        self.merged = self.store.table("merged", 100, max)
        self.model: dict[bytes, tuple[bytes, float]] = {}
        self.highest: dict[bytes, tuple[bytes, float]] = {}
        self.now = 1000.0

    def make(self) -> Store:
        return MemoryStore()

    def live(self, key: bytes) -> tuple[bytes, float] | None:
        found = self.model.get(key)
        return found if found is not None and found[1] > self.now else None

    @rule(key=KEYS, value=VALUES, ttl=TTLS)
    def set(self, key: bytes, value: bytes, ttl: float) -> None:
        assert self.table.set(key, value, ttl, self.now) == value
        self.model[key] = (value, self.now + ttl)

    @rule(key=KEYS, value=VALUES, ttl=TTLS)
    def merge(self, key: bytes, value: bytes, ttl: float) -> None:
        known = self.highest.get(key)
        expires = self.now + ttl
        if known is not None and known[1] > self.now and known[0] >= value:
            value, expires = known[0], max(known[1], expires)
        assert self.merged.set(key, value, ttl, self.now) == value
        self.highest[key] = (value, expires)
        assert self.merged.get(key, self.now) == (value, expires)

    @rule(key=KEYS, ttl=TTLS)
    def touch(self, key: bytes, ttl: float) -> None:
        known = self.live(key)
        assert self.table.touch(key, ttl, self.now) is (known is not None)
        if known is not None:
            self.model[key] = (known[0], self.now + ttl)

    @rule(key=KEYS)
    def delete(self, key: bytes) -> None:
        assert self.table.delete(key, self.now) is (self.live(key) is not None)
        self.model.pop(key, None)

    @rule(key=st.sampled_from([b"n1", b"n2"]), amount=st.integers(-5, 100), ttl=TTLS)
    def add(self, key: bytes, amount: int, ttl: float) -> None:
        known = self.live(key)
        total = amount if known is None else int(known[0]) + amount
        expires = self.now + ttl if known is None else known[1]
        assert self.table.add(key, amount, ttl, self.now) == (total, expires)
        self.model[key] = (b"%d" % total, expires)

    @rule(step=st.sampled_from([0.25, 0.5, 1.0, 10.0]))
    def pass_time(self, step: float) -> None:
        self.now += step

    @rule(budget=st.integers(2, 20))  # one for each table
    def tick(self, budget: int) -> None:
        assert 0 <= self.store.tick(self.now, budget) <= budget

    @rule(prefix=st.sampled_from([b"", b"b", b"n", b"zz"]), limit=st.integers(1, 4))
    def scan(self, prefix: bytes, limit: int) -> None:
        found, cursor = [], None
        while True:
            page = self.table.scan(self.now, prefix=prefix, limit=limit, cursor=cursor)
            assert len(page.entries) <= limit
            found += [(key, (entry.value, entry.expires)) for key, entry in page.entries]
            cursor = page.cursor
            if cursor is None:
                break
        expected = {key: self.live(key) for key in self.model if key.startswith(prefix) and self.live(key)}
        assert found == sorted(expected.items())

    @invariant()
    def agrees(self) -> None:
        for key in self.model:
            assert self.table.get(key, self.now) == self.live(key) == self.table.lookup(key, self.now)
        assert len(self.table) >= sum(self.live(key) is not None for key in self.model)


class LocalModel(Model):
    def make(self) -> Store:
        self.folder = Path(tempfile.mkdtemp(prefix="adc-state-"))
        return LocalStore(self.folder, map_size=16 << 20)

    def teardown(self) -> None:
        assert isinstance(self.store, LocalStore)
        self.store._close()
        shutil.rmtree(self.folder)


class SmallTable(RuleBasedStateMachine):
    """A table with room for 8: never more, what was written last is there, and no value is another's."""

    def __init__(self) -> None:
        super().__init__()
        self.store = self.make()
        self.table = self.store.table("t", 8)
        self.now = 1000.0

    def make(self) -> Store:
        return MemoryStore()

    @rule(number=st.integers(0, 40), ttl=TTLS)
    def set(self, number: int, ttl: float) -> None:
        self.now += 0.01
        self.table.set(b"%d" % number, b"v%d" % number, ttl, self.now)
        assert self.table.get(b"%d" % number, self.now) is not None

    @rule(step=st.sampled_from([0.5, 10.0]))
    def pass_time(self, step: float) -> None:
        self.now += step
        self.store.tick(self.now, 3)

    @invariant()
    def is_bounded_and_true(self) -> None:
        assert len(self.table) <= 8
        assert all(entry.value == b"v" + key for key, entry in self.table.scan(self.now).entries)


class SmallLocalTable(SmallTable):
    make = LocalModel.make
    teardown = LocalModel.teardown


_QUICK = settings(max_examples=25, stateful_step_count=30, deadline=None)
_FILES = settings(
    max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

TestMemory = Model.TestCase
TestMemory.settings = _QUICK
TestLocal = LocalModel.TestCase
TestLocal.settings = _FILES
TestSmallMemory = SmallTable.TestCase
TestSmallMemory.settings = _QUICK
TestSmallLocal = SmallLocalTable.TestCase
TestSmallLocal.settings = _FILES
