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
