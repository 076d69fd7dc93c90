"""Stores against a plain model: what they hold is right, and never more than allowed."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from adc.cache.disk import DiskBody, DiskStore
from adc.cache.entry import Entry
from adc.cache.environment import Environment
from adc.cache.freshness import Terms
from adc.cache.memory import MemoryStore
from adc.cache.purge import Purge, Scope, finish
from adc.cache.stats import Stats
from adc.http.headers import Headers

keys = st.sampled_from([b"u/%d" % number for number in range(12)])
variants = st.sampled_from([b"1", b"2", b"3"])
bodies = st.integers(0, 3000).map(lambda size: b"x" * size)
tags = st.sampled_from([(), (b"s",), (b"s", b"t")])
purges = st.one_of(
    keys.map(lambda key: Purge(Scope.URL, key)),
    st.sampled_from([Purge(Scope.PREFIX, b"u/1"), Purge(Scope.TAG, b"t"), Purge(Scope.ALL)]),
)
TERMS = Terms(0, 60, "max-age")


def entry(key: bytes, variant: bytes, body: bytes, named: tuple[bytes, ...]) -> Entry:
    return Entry(
        key,
        200,
        Headers([(b"A", b"b")]),
        ((b"v", variant),),
        TERMS,
        0,
        tags=named,
        length=len(body),
        body=body,
    )


class MemoryMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore(20_000, 3500, max_variants=2)
        self.last: dict[tuple[bytes, bytes], Entry] = {}

    @rule(key=keys, variant=variants, body=bodies, named=tags)
    def put(self, key: bytes, variant: bytes, body: bytes, named: tuple[bytes, ...]) -> None:
        held = entry(key, variant, body, named)
        self.last[key, variant] = held
        if not self.store.put(held):
            assert held.size > self.store.max_object
            del self.last[key, variant]

    @rule(key=keys)
    def get(self, key: bytes) -> None:
        for held in self.store.get(key):
            assert self.last[key, held.varying[0][1] or b""] is held

    @rule(purge=purges)
    def purge(self, purge: Purge) -> None:
        self.store.purge(purge)
        self.last = {
            place: held for place, held in self.last.items() if not purge.covers(held.key, held.tags)
        }

    @invariant()
    def within_limits(self) -> None:
        assert self.store.size <= self.store.capacity
        assert all(len(self.store.get(b"u/%d" % number)) <= 2 for number in range(12))


class DiskMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.path = Path(tempfile.mkdtemp())
        self.environment = Environment(self.path, 8 * 1024 * 1024)
        self.reports: list[str] = []
        self.store = DiskStore(self.environment, 60_000, Stats(), self.reports.append)
        self.last: dict[tuple[bytes, bytes], bytes] = {}
        self.now = 0

    def teardown(self) -> None:
        self.environment.close()
        shutil.rmtree(self.path)

    @rule(key=keys, variant=variants, body=bodies, named=tags)
    def put(self, key: bytes, variant: bytes, body: bytes, named: tuple[bytes, ...]) -> None:
        self.now += 1
        assert self.store.put(entry(key, variant, body, named), self.now)
        self.last[key, variant] = body
        assert self.content(key).get(variant) == body

    @rule(key=keys)
    def get(self, key: bytes) -> None:
        for variant, body in self.content(key).items():
            assert self.last[key, variant] == body

    @rule(purge=purges)
    def purge(self, purge: Purge) -> None:
        finish(self.store.purging(purge))
        for number in range(12):
            assert not any(
                purge.covers(held.key, held.tags) for held in self.store.get(b"u/%d" % number, self.now)
            )

    @rule()
    def restart(self) -> None:
        self.environment.close()
        self.environment = Environment(self.path, 8 * 1024 * 1024)
        self.store = DiskStore(self.environment, 60_000, Stats(), self.reports.append)

    def content(self, key: bytes) -> dict[bytes, bytes]:
        found = {}
        for held in self.store.get(key, self.now):
            assert isinstance(held.body, DiskBody)
            found[held.varying[0][1] or b""] = held.body.read()
        return found

    @invariant()
    def within_limits(self) -> None:
        assert self.store.index.total() <= 60_000
        assert self.reports == []


TestMemory = MemoryMachine.TestCase
TestMemory.settings = settings(max_examples=25, stateful_step_count=50, deadline=None)
TestDisk = DiskMachine.TestCase
TestDisk.settings = settings(max_examples=12, stateful_step_count=40, deadline=None)
