"""What the cache's memory tier keeps, and what its steps cost.

`python -m benchmarks.micro_cache` prints hit ratios of S3-FIFO beside LRU on zipf traces, plain and with a
scan of one-time keys mixed in, and the time of a look-up, a decision, a fill and a disk read. One process,
one core.
"""

from __future__ import annotations

import sys
import tempfile
import time
from bisect import bisect
from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from random import Random

from adc.cache.answer import answer
from adc.cache.disk import DiskBody, DiskStore
from adc.cache.entry import Entry
from adc.cache.environment import Environment
from adc.cache.freshness import Terms
from adc.cache.keys import KeyRules, primary_key
from adc.cache.memory import MemoryStore
from adc.cache.options import CacheOptions
from adc.cache.policy import lookup
from adc.cache.purge_log import PurgeLog
from adc.cache.stats import Stats
from adc.cache.tiered import TieredStore
from adc.http.headers import Headers
from adc.http.message import Request

OBJECTS = 20_000
REQUESTS = 200_000
BODY = b"x" * 1024
NOW = 1_800_000_000.0
TERMS = Terms(NOW, 600, "max-age")


def make_entry(key: bytes, body: bytes = BODY) -> Entry:
    headers = Headers(
        [(b"Content-Type", b"text/css"), (b"Cache-Control", b"max-age=600"), (b"ETag", b'"abc"')]
    )
    return Entry(key, 200, headers, (), TERMS, NOW, etag=b'"abc"', length=len(body), body=body)


def zipf(skew: float, scan: float, seed: int = 1) -> Iterator[int]:
    """Numbers of objects asked for; a share `scan` of the requests is for objects never asked for again."""
    chance = Random(seed)
    weights = list(accumulate(1 / rank**skew for rank in range(1, OBJECTS + 1)))
    for turn in range(REQUESTS):
        if chance.random() < scan:
            yield OBJECTS + turn
        else:
            yield bisect(weights, chance.random() * weights[-1])


def s3_fifo(trace: Iterator[int], capacity: int) -> float:
    store, hits = MemoryStore(capacity, capacity), 0
    for number in trace:
        key = b"http://example.com/%d" % number
        if store.get(key):
            hits += 1
        else:
            store.put(make_entry(key))
    return hits / REQUESTS


def lru(trace: Iterator[int], capacity: int) -> float:
    held: OrderedDict[int, int] = OrderedDict()
    hits = size = 0
    for number in trace:
        if number in held:
            held.move_to_end(number)
            hits += 1
            continue
        held[number] = make_entry(b"http://example.com/%d" % number).size
        size += held[number]
        while size > capacity:
            size -= held.popitem(last=False)[1]
    return hits / REQUESTS


def ratios() -> None:
    one = make_entry(b"http://example.com/10000").size
    print(f"{OBJECTS:,} objects, {REQUESTS:,} requests; hit ratio")
    print(f"{'skew':>5} {'scan':>5} {'space':>6} {'S3-FIFO':>8} {'LRU':>6}")
    for skew in (0.8, 1.0):
        for scan in (0.0, 0.3):
            for share in (0.01, 0.1):
                capacity = int(OBJECTS * share * one)
                first = s3_fifo(zipf(skew, scan), capacity)
                second = lru(zipf(skew, scan), capacity)
                print(f"{skew:5} {scan:5} {share:6.0%} {first:8.3f} {second:6.3f}")


def timed(name: str, step: Callable[[], object], count: int) -> None:
    start = time.process_time()
    for _ in range(count):
        step()
    print(f"{name:34} {(time.process_time() - start) / count * 1e6:8.2f} us")


def costs() -> None:
    fields = [(b"Host", b"example.com"), (b"User-Agent", b"x" * 80), (b"Accept", b"*/*")]
    fields += [(b"Accept-Encoding", b"gzip, br"), (b"Cookie", b"id=1"), (b"Accept-Language", b"en")]
    request = Request("GET", "/a?b=c", "/a", "b=c", "example.com", "example.com", Headers(fields))
    rules, options, stats = KeyRules(), CacheOptions(), Stats()
    key = primary_key(request, rules)
    with tempfile.TemporaryDirectory() as folder:
        environment = Environment(Path(folder), 256 * 1024 * 1024)
        disk = DiskStore(environment, 1_000_000_000, stats, print)
        store = TieredStore(MemoryStore(10**8, 10**6), disk, PurgeLog(environment), stats, 10**7)
        held = make_entry(key)
        store.put(held, store.mark(), NOW)
        numbers = iter(range(10**9))

        def read_disk() -> bytes:
            body = disk.get(key, NOW)[0].body
            assert isinstance(body, DiskBody)
            return body.read()

        def fresh_lookup() -> object:
            request.headers._index = None
            return lookup(request, store.get(key), NOW + 5, options)

        timed("key", lambda: primary_key(request, rules), 100_000)
        timed("look-up in memory, purges checked", lambda: store.get(key), 200_000)
        timed("key index and decision", fresh_lookup, 100_000)
        timed("answer", lambda: answer(request, held, NOW + 5, b"b"), 100_000)
        timed("look-up and read on disk, 1 KB", read_disk, 5000)
        timed("store 1 KB in both tiers", lambda: put(store, next(numbers)), 3000)
        environment.close()


def put(store: TieredStore, number: int) -> None:
    store.put(make_entry(b"http://example.com/n%d" % number), store.mark(), NOW)


if __name__ == "__main__":
    if "--costs" not in sys.argv:
        ratios()
    costs()
