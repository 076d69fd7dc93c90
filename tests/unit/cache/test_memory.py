"""The memory tier."""

from random import Random

import pytest

from adc.cache.entry import Entry
from adc.cache.memory import MemoryStore
from adc.cache.purge import Purge, Scope, finish
from tests.unit.cache.messages import request, stored

BODY = b"x" * 1000


def entry(name: str, *fields: str, asked: tuple[str, ...] = (), body: bytes = BODY) -> Entry:
    return stored("Cache-Control: max-age=60", *fields, asked=request(*asked, target=f"/{name}"), body=body)


def key(name: str) -> bytes:
    return b"http://example.com/" + name.encode()


def test_stored_entry_is_found() -> None:
    store, held = MemoryStore(10_000, 5000), entry("a")
    assert store.get(key("a")) == ()
    assert store.put(held)
    assert store.get(key("a")) == (held,)
    assert store.size == held.size


def test_an_entry_takes_the_place_of_its_like_only() -> None:
    store = MemoryStore(100_000, 5000)
    english, german = (entry("a", "Vary: L", asked=(f"L: {language}",)) for language in ("en", "de"))
    again = entry("a", "Vary: L", asked=("L: en",))
    for item in (english, german, again):
        store.put(item)
    assert store.get(key("a")) == (german, again)
    assert store.size == german.size + again.size


def test_variants_of_a_key_are_bounded() -> None:
    store = MemoryStore(1_000_000, 5000, max_variants=4)
    for number in range(50):
        store.put(entry("a", "Vary: X", asked=(f"X: {number}",)))
    assert [item.varying[0][1] for item in store.get(key("a"))] == [b"46", b"47", b"48", b"49"]


def test_variants_alone_do_not_pass_the_capacity() -> None:
    store = MemoryStore(5000, 5000, max_variants=100)
    for number in range(50):
        store.put(entry("a", "Vary: X", asked=(f"X: {number}",)))
    assert 0 < store.size <= 5000


def test_a_too_large_entry_is_refused_and_its_predecessor_dropped() -> None:
    store = MemoryStore(10_000, 3000)
    store.put(entry("a"))
    assert not store.put(entry("a", body=b"x" * 3000))
    assert store.get(key("a")) == ()
    assert store.size == 0


def test_keys_asked_for_again_survive_a_flood_of_new_ones() -> None:
    store = MemoryStore(50 * entry("hot0").size, 5000)
    for number in range(10):
        store.put(entry(f"hot{number}"))
    for flood in range(2000):
        for number in range(10):
            store.get(key(f"hot{number}"))
        store.put(entry(f"cold{flood:04}"))
    assert all(store.get(key(f"hot{number}")) for number in range(10))
    assert store.evicted > 1900


def test_a_key_that_comes_back_soon_goes_to_the_main_queue() -> None:
    one = entry("a000").size
    store = MemoryStore(20 * one, 5000)
    store.put(entry("back"))
    for number in range(20):
        store.put(entry(f"a{number:03}"))
    assert store.get(key("back")) == ()
    store.put(entry("back"))
    for number in range(100, 118):
        store.put(entry(f"a{number:03}"))
    assert store.get(key("back"))


@pytest.mark.parametrize(
    ("purge", "left"),
    [
        (Purge(Scope.URL, b"http://example.com/a"), "b b/c d"),
        (Purge(Scope.PREFIX, b"http://example.com/b"), "a d"),
        (Purge(Scope.TAG, b"t"), "b b/c"),
        (Purge(Scope.TAG, b"none"), "a b b/c d"),
        (Purge(Scope.ALL), ""),
        (Purge(Scope.REPLACED, b"http://example.com/d"), "a b b/c"),
    ],
)
def test_purge(purge: Purge, left: str) -> None:
    store = MemoryStore(100_000, 5000)
    for name, fields in (("a", ("Cache-Tag: s t",)), ("b", ()), ("b/c", ()), ("d", ("Cache-Tag: t",))):
        store.put(entry(name, *fields))
    names = ["a", "b", "b/c", "d"]
    assert store.purge(purge) == len(names) - len(left.split())
    assert [name for name in names if store.get(key(name))] == left.split()
    assert (store.size == 0) is (left == "")


def test_a_url_purge_reaches_keys_with_further_parts() -> None:
    store, held = MemoryStore(100_000, 5000), entry("a")
    for part in (b"", b"\0h:x=1:a;", b"\0h:x=1:b;", b"b"):
        longer = held.filled(held.body, held.length)
        longer.key = held.key + part
        store.put(longer)
    assert store.purge(Purge(Scope.URL, held.key)) == 3
    assert len(store) == 1


def test_a_soft_purge_marks() -> None:
    store = MemoryStore(100_000, 5000)
    store.put(entry("a"))
    assert store.purge(Purge(Scope.ALL, soft=True)) == 1
    assert store.get(key("a"))[0].invalid


def test_accounts_are_even_after_many_random_operations() -> None:
    chance, store = Random(7), MemoryStore(20_000, 5000)
    for _ in range(3000):
        name = str(chance.randrange(60))
        match chance.randrange(5):
            case 0 | 1:
                store.put(entry(name, f"Cache-Tag: t{name[-1]}", body=b"x" * chance.randrange(4000)))
            case 2 | 3:
                store.get(key(name))
            case _:
                store.purge(Purge(Scope.TAG, b"t" + name[-1:].encode()))
        assert store.size <= store.capacity
    assert store.size == sum(item.size for name in range(60) for item in store.get(key(str(name))))
    store.purge(Purge(Scope.ALL))
    assert (store.size, len(store), store._small_size) == (0, 0, 0)
    assert not store._tagged


def many(count: int) -> MemoryStore:
    store = MemoryStore(1 << 30, 5000)
    for number in range(count):
        store.put(entry(str(number), "Cache-Tag: t", body=b""))
    return store


@pytest.mark.parametrize("purge", [Purge(Scope.ALL), Purge(Scope.PREFIX, key("")), Purge(Scope.TAG, b"t")])
def test_a_large_purge_takes_slices_and_what_it_has_not_reached_is_not_found(purge: Purge) -> None:
    store = many(2500)
    steps = store.purging(purge)
    next(steps)
    assert 0 < len(store) < 2500
    assert store.get(key("2499")) == ()
    fresh = entry("2498", "Cache-Tag: t", body=b"")
    store.put(fresh)
    assert finish(steps) == 2500
    assert (store.get(key("2498")), len(store)) == ((fresh,), 1)


def test_a_soft_purge_leaves_what_was_stored_meanwhile_as_it_is() -> None:
    store = many(1500)
    store.begin(Purge(Scope.ALL, soft=True))
    fresh = entry("1499", body=b"")
    store.put(fresh)
    assert [item.invalid for item in (*store.get(key("1498")), *store.get(key("1499")))] == [True, False]
    for _ in range(3):
        store.step()
    assert [item.invalid for item in (*store.get(key("0")), *store.get(key("1499")))] == [True, False]


def test_more_large_purges_than_can_be_kept_under_way_drop_everything() -> None:
    store = many(10)
    for number in range(40):
        store.begin(Purge(Scope.PREFIX, key(f"other{number}")))
    assert store.get(key("5")) == ()
    for _ in range(40):
        store.step()
    assert len(store) == 0
