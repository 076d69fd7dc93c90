"""Objects of ours that outlive what they were made for, counted while the garbage collector is off."""

import asyncio
import contextlib
import gc
import time
from collections import Counter

from tests.kit.waiting import PATIENCE


def ours():
    """Living objects of classes of `adc`, counted by class."""
    classes = (type(each) for each in gc.get_objects())
    return Counter(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in classes
        if str(kind.__module__).startswith("adc.")
    )


@contextlib.contextmanager
def collector_off():
    """Collect what is garbage already, then leave everything else to reference counting."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


RUNS = 3
"""Runs of which one has to leave nothing behind: by chance one has another idle connection to a member at its end."""


async def nothing_survives(run):
    """Call `run` with the collector off; AssertionError if it leaves objects behind each time.

    The first call fills what is kept on purpose: idle connections, an entry in a store.
    """
    await run()
    await asyncio.sleep(0.01)
    with collector_off():
        for _ in range(RUNS):
            surplus = await left_behind(run)
            if not surplus:
                return
    raise AssertionError(f"not freed without the collector: {dict(surplus)}")


async def left_behind(run):
    """Return the objects that `run` leaves, by class, as soon as there are none or after a while."""
    before = ours()
    await run()
    end = time.monotonic() + PATIENCE / RUNS
    while (surplus := ours() - before) and time.monotonic() < end:
        await asyncio.sleep(0.02)
    return surplus
