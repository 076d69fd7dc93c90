"""Connections by source, counted over several workers."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from adc.net.shared_sources import BYTES, WAYS, WORKERS, SharedSources
from adc.net.sources import SourceLimit


@pytest.fixture
def memory() -> memoryview[int]:
    return memoryview(bytearray(BYTES)).cast("Q")


def limits(memory: memoryview[int], limit: int, workers: int = 3, listener: str = "web") -> list[SourceLimit]:
    found = []
    for number in range(workers):
        shared = SharedSources(memory, number)
        shared.follow(workers)
        found.append(SourceLimit(limit, shared=shared.of(listener)))
    return found


def test_workers_hold_to_one_limit(memory: memoryview[int]) -> None:
    workers = limits(memory, 2)
    assert [worker.admit("192.0.2.1") for worker in workers] == [True, True, False]
    assert workers[2].admit("192.0.2.2")
    workers[0].leave("192.0.2.1")
    assert workers[2].admit("192.0.2.1")
    assert not workers[1].admit("192.0.2.1")


def test_listeners_count_apart(memory: memoryview[int]) -> None:
    one, other = (limits(memory, 1, listener=name)[0] for name in ("web", "mail"))
    assert one.admit("192.0.2.1")
    assert other.admit("192.0.2.1")


def test_any_order_of_connections_holds_to_the_limit(memory: memoryview[int]) -> None:
    chance = random.Random(7)
    workers = limits(memory, 5)
    open_connections: list[tuple[int, str]] = []
    for _ in range(20_000):
        if open_connections and chance.random() < 0.5:
            number, address = open_connections.pop(chance.randrange(len(open_connections)))
            workers[number].leave(address)
            continue
        number, address = chance.randrange(3), f"192.0.2.{chance.randrange(30)}"
        count = Counter(name for _, name in open_connections)[address]
        assert workers[number].admit(address) == (count < 5)
        if count < 5:
            open_connections.append((number, address))
    for number, address in open_connections:
        workers[number].leave(address)
    assert not any(memory[WORKERS + 2 :])


def test_worker_that_takes_the_place_of_another_one_begins_with_none(memory: memoryview[int]) -> None:
    one, other, _ = limits(memory, 1)
    assert one.admit("192.0.2.1")
    assert not other.admit("192.0.2.1")
    SharedSources(memory, 0)
    assert other.admit("192.0.2.1")


def test_worker_that_leaves_counts_no_more(memory: memoryview[int]) -> None:
    shared = SharedSources(memory, 0)
    shared.follow(2)
    leaving = SourceLimit(1, shared=shared.of("web"))
    (_, other) = limits(memory, 1, workers=2)
    assert leaving.admit("192.0.2.1")
    shared.leave()
    assert other.admit("192.0.2.1")
    leaving.leave("192.0.2.1")
    assert leaving.admit("192.0.2.1")


def test_limit_that_is_removed_gives_its_counts_back(memory: memoryview[int]) -> None:
    one, other, _ = limits(memory, 1)
    assert one.admit("192.0.2.1")
    one.close()
    assert other.admit("192.0.2.1")


def test_more_sources_than_places_are_counted_by_each_worker(memory: memoryview[int]) -> None:
    small = memoryview(bytearray(8 * (WORKERS + 2 + WORKERS * WAYS))).cast("Q")
    workers = limits(small, 1)
    addresses = [f"192.0.2.{number}" for number in range(4 * WAYS)]
    assert all(workers[0].admit(address) for address in addresses)
    assert not any(workers[0].admit(address) for address in addresses)
    assert sum(workers[1].admit(address) for address in addresses) == 3 * WAYS
    for address in addresses:
        workers[0].leave(address)
    assert not any(small[WORKERS + 2 : WORKERS + 2 + WAYS])


def test_worker_beyond_the_memory_counts_alone(memory: memoryview[int]) -> None:
    shared = SharedSources(memory, WORKERS)
    assert SourceLimit(1, shared=shared.of("web")).admit("192.0.2.1")
    assert limits(memory, 1)[0].admit("192.0.2.1")


def test_addresses_that_are_exempt_are_not_limited(memory: memoryview[int]) -> None:
    shared = SharedSources(memory, 0)
    shared.follow(2)
    limit = SourceLimit(1, lambda address: address == "192.0.2.9", shared=shared.of("web"))
    assert [limit.admit("192.0.2.9") for _ in range(3)] == [True] * 3
