"""What a node makes of entries that Redis or another node holds, without a connection."""

import pytest

from adc.state.interface import Entry
from adc.state.redis import RedisStore
from adc.state.redis_client import RedisAddress
from adc.state.redis_table import RedisTable
from tests.unit.state.table_suite import NOW


@pytest.fixture
def store() -> RedisStore:
    return RedisStore(RedisAddress(("redis://127.0.0.1:1",)), clock=lambda: NOW)


@pytest.fixture
def table(store: RedisStore) -> RedisTable:
    return store.table("t", 100, max)


def queued(store: RedisStore) -> list[tuple[bytes, float]]:
    return [(write.value, write.expires) for write in store.writes.take(10)]


def test_earlier_expiry_of_another_node_does_not_shorten_an_entry(
    store: RedisStore, table: RedisTable
) -> None:
    table.set(b"k", b"v", 60.0, NOW)
    queued(store)
    assert table.learn(b"k", Entry(b"v", NOW + 50), NOW) == Entry(b"v", NOW + 60)
    assert table.get(b"k", NOW) == Entry(b"v", NOW + 60)
    assert queued(store) == [(b"v", NOW + 60)]


def test_later_expiry_of_another_node_prolongs_an_entry(store: RedisStore, table: RedisTable) -> None:
    table.set(b"k", b"v", 60.0, NOW)
    queued(store)
    table.learn(b"k", Entry(b"v", NOW + 60.5), NOW)
    assert table.get(b"k", NOW) == Entry(b"v", NOW + 60.5)
    assert queued(store) == []


def test_value_that_stands_is_sent_with_its_own_expiry(store: RedisStore, table: RedisTable) -> None:
    table.set(b"k", b"w", 60.0, NOW)
    assert table.set(b"k", b"v", 10.0, NOW) == b"w"
    assert queued(store) == [(b"w", NOW + 60)]
