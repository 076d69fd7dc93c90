"""How worker processes return freed memory to the system."""

import subprocess
import sys
import textwrap

from adc.control.allocator import SETTINGS, HeapTrimmer, due_settings, heap_trimmer

RESIDENT_AFTER_FREE = """
    import ctypes
    from adc.control.allocator import _resident_bytes, set_thresholds

    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    set_thresholds({})
    blocks = [libc.malloc(2 << 20) for _ in range(40)]
    for block in blocks:
        ctypes.memset(block, 1, 2 << 20)
    held = _resident_bytes()
    for block in blocks[:-1]:
        libc.free(block)
    print(held - _resident_bytes())
"""


def test_workers_return_large_blocks_that_are_freed_although_a_later_one_is_in_use():
    command = [sys.executable, "-c", textwrap.dedent(RESIDENT_AFTER_FREE)]
    freed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert int(freed) > 70 << 20


def test_settings_of_the_environment_are_left_alone():
    assert due_settings({"MALLOC_TRIM_THRESHOLD_": "1234"}) == [(-8, 2), (-3, 1 << 20)]
    assert len(due_settings({})) == len(SETTINGS)


def trims(*sizes):
    """At which of the resident `sizes` (megabytes), a look each, the heap is trimmed; a trim returns nothing."""
    size, at = sizes[0], []
    trimmer = HeapTrimmer(lambda: size << 20, lambda: at.append(size))
    for size in sizes[1:]:  # noqa: B007
        trimmer.look()
    return at


def test_the_heap_is_trimmed_after_growth_and_not_again_without_more():
    assert trims(100, 105, 110, 111, 117, 120) == [110, 120]


def test_the_heap_is_not_trimmed_while_memory_falls():
    assert trims(100, 95, 90, 92, 98) == []
    assert trims(100, 95, 90, 99) == [99]


def test_the_heap_is_trimmed_ever_more_rarely_while_that_returns_nothing():
    looks, at = 0, []
    trimmer = HeapTrimmer(lambda: (110 if looks else 100) << 20, lambda: at.append(looks))
    for looks in range(1, 300):  # noqa: B007
        trimmer.look()
    assert at == [1, 4, 10, 22, 46, 94, 190, 286]


def test_what_is_freed_after_a_trim_is_returned_by_a_later_one():
    resident, in_use = 140, 140

    def trim():
        nonlocal resident
        resident = in_use

    sizes = iter((100,))
    trimmer = HeapTrimmer(lambda: next(sizes, resident) << 20, trim)
    trimmer.look()
    in_use = 102
    trimmer.look()
    trimmer.look()
    assert resident == 140
    trimmer.look()
    assert resident == 102


def test_this_machine_can_trim():
    trimmer = heap_trimmer()
    assert trimmer is not None
    trimmer._trim()
