"""What a table costs: get and touch at 1,000 and 1,000,000 entries, and the memory of a million.

python benchmarks/micro_state.py [FOLDER]      FOLDER: where the local file goes, /dev/shm by default
"""

from __future__ import annotations

import gc
import os
import random
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from adc.state.interface import Store, Table
from adc.state.local import LocalStore
from adc.state.memory import MemoryStore

NOW = 1_700_000_000.0
VALUE = struct.pack("<8sIIIHH", b"memberid", 1_700_000_000, 1_700_000_000, 1, 0, 0) + b"adc-a"
BLOCKS = 40
BLOCK = 2_000
"""Calls timed together, and how often at each size: the two take turns, so that what else the machine does meets
both alike, and the best block of each is what counts."""


def resident() -> int:
    """Bytes of this process in memory, mapped pages of the file included."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def costs(call: Callable[[Table, bytes], object], tables: list[tuple[Table, list[bytes]]]) -> list[float]:
    """Microseconds a call on keys drawn at random, for each table."""
    source = random.Random(2)
    best = [float("inf")] * len(tables)
    for _ in range(BLOCKS):
        for number, (table, keys) in enumerate(tables):
            drawn = source.choices(keys, k=BLOCK)
            begin = time.perf_counter()
            for key in drawn:
                call(table, key)
            best[number] = min(best[number], (time.perf_counter() - begin) / BLOCK * 1e6)
    return best


def fill(table: Table, keys: list[bytes]) -> None:
    for key in keys:
        table.set(key, VALUE, 600.0, NOW)


def report(name: str, store: Store, file: Path | None) -> None:
    keys = [
        struct.pack(">I", number * 2654435761 % 2**32).hex().encode() + b".net" for number in range(1_000_000)
    ]
    small = store.table("small", 2_000)
    fill(small, keys[:1_000])
    gc.collect()
    before = resident()
    large = store.table("large", 1_000_000)
    fill(large, keys)
    used = resident() - before
    size = 0 if file is None else file.stat().st_blocks * 512
    both = [(small, keys[:1_000]), (large, keys)]
    calls: dict[str, Callable[[Table, bytes], object]] = {
        "get": lambda table, key: table.get(key, NOW),
        "touch": lambda table, key: table.touch(key, 600.0, NOW),
    }
    for what, call in calls.items():
        few, many = costs(call, both)
        print(f"{name:8} {what:5} 1k {few:6.2f} us   1M {many:6.2f} us   x{many / few:.2f}")
    print(
        f"{name:8} 1,000,000 entries: {used / 1e6:.0f} MB resident, {size / 1e6:.0f} MB file,"
        f" {len(large)} kept"
    )


def main() -> None:
    base = sys.argv[1] if len(sys.argv) > 1 else "/dev/shm"
    with tempfile.TemporaryDirectory(dir=base) as folder:
        report("local", LocalStore(Path(folder)), Path(folder) / "data.mdb")
    report("memory", MemoryStore(), None)


if __name__ == "__main__":
    main()
