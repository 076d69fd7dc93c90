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


async def nothing_survives(run):
    """Call `run` twice with the collector off; AssertionError if the second time leaves objects behind.

    The first time fills what is kept on purpose: idle connections, an entry in a store.
    """
    await run()
    await asyncio.sleep(0.01)
    with collector_off():
        before = ours()
        await run()
        end = time.monotonic() + PATIENCE
        while surplus := ours() - before:
            assert time.monotonic() < end, f"not freed without the collector: {dict(surplus)}"
            await asyncio.sleep(0.02)
