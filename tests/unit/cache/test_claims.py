"""Responses being collected count against the limits of their tier."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adc.cache.claims import Claims
from adc.cache.disk import DiskStore
from adc.cache.entry import Entry
from adc.cache.environment import Environment
from adc.cache.filling import Filling
from adc.cache.memory import MemoryStore
from adc.cache.purge import Purge, Scope
from adc.cache.stats import Stats
from adc.cache.tiered import TieredStore
from tests.unit.cache.messages import NOW, request, stored

MB = 1 << 20


def test_one_response_may_claim_the_whole_tier() -> None:
    claims = Claims(2)
    assert claims.add(0, 6 * MB, 10 * MB)
    assert claims.add(6 * MB, 4 * MB, 10 * MB)
    assert not claims.add(10 * MB, 1, 10 * MB)


def test_several_responses_claim_no_more_than_their_share() -> None:
    claims = Claims(2)
    assert claims.add(0, 3 * MB, 10 * MB)
    assert claims.add(0, 2 * MB, 10 * MB)
    assert not claims.add(0, 1 * MB, 10 * MB)


def test_a_small_response_finds_room_beside_large_ones() -> None:
    claims = Claims(2)
    assert claims.add(0, 7 * MB, 10 * MB)
    assert claims.add(0, 60_000, 10 * MB)
    assert not claims.add(0, 4 * MB, 10 * MB)
    assert not claims.add(0, 60_000, 10 * MB)


def entry(name: str = "a", body: bytes = b"") -> Entry:
    return stored("Cache-Control: max-age=60", asked=request(target=f"/{name}"), body=body)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[TieredStore]:
    environment, stats = Environment(tmp_path, 32 * MB), Stats()
    tier = DiskStore(environment, 4_000_000, stats, lambda line: None)
    yield TieredStore(MemoryStore(200_000, 20_000), tier, None, stats, 1 * MB)
    environment.close()


def in_memory(capacity: int = 1 * MB) -> TieredStore:
    return TieredStore(MemoryStore(capacity, capacity), None, None, Stats(), 4 * MB)


def fill(store: TieredStore, name: str = "a") -> Filling:
    return Filling(store, entry(name), -1, store.mark())


def test_stored_and_collected_bytes_stay_within_the_limit() -> None:
    store = in_memory()
    for number in range(20):
        store.put(entry(str(number), bytes(50_000)), store.mark(), NOW)
    filling = fill(store)
    for _ in range(9):
        assert filling.write(bytes(100_000))
        assert store.memory.size + store.memory.claims.total <= 1 * MB
    assert filling.commit(NOW) is not None
    assert store.memory.claims.total == 0


def test_a_response_longer_than_memory_alone_can_hold_is_given_up() -> None:
    store = in_memory()
    filling = fill(store)
    assert not all(filling.write(bytes(100_000)) for _ in range(11))
    assert store.stats.too_large == 1


def test_content_without_room_is_readable_until_dropped() -> None:
    store = in_memory()
    first, second = fill(store), fill(store, "b")
    assert first.write(bytes(400_000))
    assert not second.write(b"x" * 400_000)
    assert store.stats.no_room == 1
    assert second.read_at(399_999, 9) == b"x"
    second.abort(second.failed)
    assert second.read_at(0, 9) == b""
    assert store.memory.claims.total == 400_000


@pytest.mark.parametrize("end", ["commit", "abort", "forgotten"])
@pytest.mark.parametrize("size", [100, 100_000])
def test_claims_are_given_back_at_the_end(disk: TieredStore, size: int, end: str) -> None:
    filling = fill(disk)
    assert filling.write(bytes(size))
    claims = disk.memory.claims if size == 100 or disk.disk is None else disk.disk.claims
    assert claims.total == size
    if end == "commit":
        assert filling.commit(NOW) is not None
    elif end == "abort":
        filling.abort("told to")
    del filling
    assert claims.total == 0


def test_a_forgotten_response_leaves_no_file(disk: TieredStore) -> None:
    assert disk.disk is not None
    filling = fill(disk)
    filling.write(bytes(100_000))
    assert list((disk.disk.objects / "new").iterdir())
    del filling
    assert not list((disk.disk.objects / "new").iterdir())


def test_files_being_filled_count_against_the_limit_of_the_disk(disk: TieredStore) -> None:
    fillings = [fill(disk, str(number)) for number in range(8)]
    for filling in fillings:
        for _ in range(5):
            filling.write(bytes(100_000))
    assert [bool(filling.failed) for filling in fillings].count(False) == 2
    assert isinstance(disk.disk, DiskStore)
    for filling in fillings:
        if filling.failed:
            filling.abort("told to")
    assert disk.disk.claims.total == 2 * 500_000


def test_content_that_finds_no_room_in_memory_goes_to_the_disk(disk: TieredStore) -> None:
    hoard = fill(disk)
    disk.memory.claim(0, disk.memory.capacity)
    assert hoard.write(bytes(1000))
    assert isinstance(disk.disk, DiskStore)
    assert disk.disk.claims.total == 1000


def test_a_committed_response_is_held_once() -> None:
    filling = fill(in_memory())
    filling.write(b"x" * 1000)
    done = filling.commit(NOW)
    assert done is not None
    assert filling.read_at(0, 2000) == done.body
    assert not filling._buffer.getvalue()


def test_evicted_content_counts_until_its_last_client_has_it() -> None:
    store = in_memory()
    body = bytes(400_000)
    assert store.put(entry(body=body), store.mark(), NOW) is not None
    store.memory.loans.lend(body)
    store.memory.loans.lend(body)
    assert store.memory.claims.total == 0
    store.purge(Purge(Scope.ALL))
    assert store.memory.claims.total == 400_000
    assert not fill(store, "b").write(bytes(200_000))
    store.memory.loans.give_back(body)
    assert store.memory.claims.total == 400_000
    store.memory.loans.give_back(body)
    assert store.memory.claims.total == 0
    assert not store.memory.loans


def test_a_validated_entry_is_no_eviction_of_its_content() -> None:
    store = in_memory()
    held = entry(body=bytes(1000))
    store.put(held, store.mark(), NOW)
    assert isinstance(held.body, bytes)
    store.memory.loans.lend(held.body)
    store.update(replace(held, date=NOW + 1), store.mark(), NOW, outdates=False)
    assert store.memory.claims.total == 0


def test_content_of_slow_followers_counts_after_its_eviction() -> None:
    store = in_memory()
    filling = fill(store)
    filling.write(bytes(100_000))
    filling.commit(NOW)
    store.purge(Purge(Scope.ALL))
    assert store.memory.claims.total == 100_000
    del filling
    assert store.memory.claims.total == 0
