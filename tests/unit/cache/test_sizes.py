"""What a store keeps is no larger than its limit says, whatever the entries are made of."""

import gc
import random
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adc.cache.disk import DiskStore
from adc.cache.entry import Entry
from adc.cache.environment import Environment
from adc.cache.memory import MemoryStore
from adc.cache.stats import Stats
from adc.cache.storable import MAX_TAGS, Pass, Store
from adc.cache.vary import MAX_FIELDS
from tests.unit.cache.messages import NOW, date, decide, request, response

LIMIT = 1 << 20
MEMORY_LIMIT = 1 << 18


def text(size: int) -> str:
    """A text of `size` that no other entry shares."""
    return random.randbytes(size // 2).hex()


def entry(
    number: int, asked: tuple[str, ...] = (), fields: tuple[str, ...] = (), target: str | None = None
) -> Entry:
    wanted = request(*asked, target=target or f"/page{number}")
    decision = decide(wanted, response("Cache-Control: max-age=60", *fields, length=1))
    assert isinstance(decision, Store), decision
    return decision.entry.filled(b"x", 1)


def with_key_part(number: int) -> Entry:
    plain = entry(number, target="/" + text(4000))
    return replace(plain, key=plain.key + b"\0c:x=1;")


SHAPES: dict[str, Callable[[int], Entry]] = {
    "small": entry,
    "validators": lambda n: entry(n, (), (f'ETag: "{n}"', f"Last-Modified: {date(-n)}", f"Date: {date()}")),
    "empty fields": lambda n: entry(n, (), tuple(f"X{n}-{each}:" for each in range(50))),
    "long fields": lambda n: entry(n, (), (f"X-Large: {text(30_000)}",)),
    "long Vary values": lambda n: entry(n, (f"User-Agent: {text(30_000)}",), ("Vary: User-Agent",)),
    "variants of a URL": lambda n: entry(n, (f"Cookie: {text(30_000)}",), ("Vary: Cookie",), target="/one"),
    "wide Vary": lambda n: entry(
        n, tuple(f"X-{each}: {text(40)}" for each in range(MAX_FIELDS)), ("Vary: " + wide(),)
    ),
    "tags": lambda n: entry(n, (), ("Cache-Tag: " + " ".join(text(10) for _ in range(100)),)),
    "long URLs": lambda n: entry(n, target="/" + text(8000)),
    "long keys with parts": with_key_part,
}


def wide() -> str:
    return ", ".join(f"X-{each}" for each in range(MAX_FIELDS))


@pytest.mark.parametrize("make", SHAPES.values(), ids=SHAPES)
def test_memory_tier_is_not_larger_than_its_limit(make: Callable[[int], Entry]) -> None:
    tracemalloc.start()
    store = MemoryStore(MEMORY_LIMIT, MEMORY_LIMIT)
    for number in range(300):
        store.put(make(number))
    gc.collect()
    full = tracemalloc.get_traced_memory()[0]
    del store
    gc.collect()
    used = full - tracemalloc.get_traced_memory()[0]  # what it frees: other code fills caches meanwhile
    tracemalloc.stop()
    assert used > MEMORY_LIMIT / 8
    assert used < 1.25 * MEMORY_LIMIT


@pytest.mark.parametrize("make", SHAPES.values(), ids=SHAPES)
def test_disk_tier_is_not_larger_than_its_limit(make: Callable[[int], Entry], tmp_path: Path) -> None:
    environment = Environment(tmp_path, 64 << 20)
    store = DiskStore(environment, LIMIT, Stats(), pytest.fail)
    for number in range(350):
        store.put(make(number), NOW + number)
    used = sum(path.stat().st_blocks * 512 for path in tmp_path.rglob("*") if path.is_file())
    environment.close()
    assert used < 1.25 * LIMIT + (1 << 20)  # pages that the index keeps for its next change


def test_variants_of_a_key_are_bounded_on_disk(tmp_path: Path) -> None:
    environment = Environment(tmp_path, 64 << 20)
    store = DiskStore(environment, 20 * LIMIT, Stats(), pytest.fail, max_variants=4)
    for number in range(10):
        store.put(entry(number, (f"X: {number}",), ("Vary: X",), target="/one"), NOW + number)
    assert len(store.index) == 4
    assert len([path for path in store.objects.rglob("*") if path.is_file()]) == 4
    kept = {held.varying[0][1] for held in store.get(b"http://example.com/one", NOW)}
    assert kept == {b"6", b"7", b"8", b"9"}
    environment.close()


def test_response_with_more_tags_than_can_be_purged_by_is_not_stored() -> None:
    def tagged(count: int) -> Store | Pass:
        tags = " ".join(map(str, range(count)))
        return decide(request(), response("Cache-Control: max-age=60", f"Cache-Tag: {tags}"))

    assert isinstance(tagged(MAX_TAGS), Store)
    assert isinstance(tagged(MAX_TAGS + 1), Pass)


@pytest.mark.parametrize("names", [MAX_FIELDS + 1, 5000])
def test_vary_on_many_fields_is_not_stored(names: int) -> None:
    vary = "Vary: " + ",".join(f"X-{each}" for each in range(names))
    assert isinstance(decide(request(), response("Cache-Control: max-age=60", vary)), Pass)


def test_vary_that_repeats_itself_hides_no_name() -> None:
    vary = "Vary: " + "a," * 5000 + "Cookie"
    assert isinstance(decide(request(), response("Cache-Control: max-age=60", vary)), Pass)
