from collections import OrderedDict

import pytest

from adc.state.memory import MemoryStore
from tests.unit.state.table_suite import NOW, TableSuite


class TestMemory(TableSuite):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


def test_due_times_do_not_pile_up_when_entries_come_and_go() -> None:
    table = MemoryStore().table("t", 10)
    for number in range(10_000):
        table.set(b"%d" % number, b"v", 1e6, NOW)
    assert len(table._due) < 200


def test_least_recently_written_is_evicted_exactly() -> None:
    table = MemoryStore().table("t", 3)
    for key in (b"a", b"b", b"c"):
        table.set(key, b"", 10.0, NOW)
    table.touch(b"a", 10.0, NOW)
    table.set(b"d", b"", 10.0, NOW)
    assert [key for key, _ in table.scan(NOW).entries] == [b"a", b"c", b"d"]


class Counted(OrderedDict):
    """Counts how often an entry is looked at."""

    looks = 0

    def get(self, key, default=None):
        self.looks += 1
        return super().get(key, default)


def test_page_costs_what_is_on_it_however_large_the_table() -> None:
    table = MemoryStore().table("t", 100_000)
    for number in range(5000):
        table.set(b"%05d" % (number * 7919 % 5000), b"v", 100.0, NOW)
    table._entries = counted = Counted(table._entries)
    page = table.scan(NOW, limit=10, cursor=b"02999")
    assert [key for key, _ in page.entries] == [b"%05d" % number for number in range(3000, 3010)]
    assert [key for key, _ in table.scan(NOW, prefix=b"0300", cursor=b"02").entries] == [
        b"%05d" % number for number in range(3000, 3010)
    ]
    assert counted.looks <= 22


def test_listing_goes_on_while_entries_come_and_go() -> None:
    table = MemoryStore().table("t", 3000)
    for number in range(3000):
        table.set(b"%04d" % number, b"v", 10.0 if number % 3 else 1.0, NOW)
    seen, cursor, now = [], None, NOW
    while True:
        page = table.scan(now, limit=100, cursor=cursor)
        seen += [key for key, _ in page.entries]
        if page.cursor is None:
            break
        cursor, now = page.cursor, NOW + 2.0
        table.reap(now, 50)
        table.delete(cursor, now)
        table.set(b"x%d" % len(seen), b"v", 100.0, now)  # evicts the least recently written one
    assert seen == sorted(set(seen))
    lasting = {key for key, _ in table.scan(now, limit=5000).entries if not key.startswith(b"x")}
    assert len(lasting) > 1500
    assert lasting <= set(seen)
    assert list(table._sorted.since(b"")) == sorted(table._entries)
