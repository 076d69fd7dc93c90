"""Waiting with an end."""

import asyncio
import time

PATIENCE = 30.0
"""Seconds: far more than a loaded machine needs, so that only what never comes fails."""


async def within(awaitable, seconds=PATIENCE):
    """The result of `awaitable`; TimeoutError if it takes longer than `seconds`."""
    async with asyncio.timeout(seconds):
        return await awaitable


async def eventually(condition, seconds=PATIENCE):
    """Wait until `condition()` is true and return what it gave; AssertionError if it stays false."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "the condition did not come true in time"
        await asyncio.sleep(0.005)
    return found


async def settled(rounds=10):
    """Let the loop deliver what is under way on loopback sockets."""
    for _ in range(rounds):
        await asyncio.sleep(0.001)
