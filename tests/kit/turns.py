"""Whether work that takes long lets others have their turn."""

import asyncio


async def turns_during(work):
    """Return what `work` returns, and the turns that others had meanwhile."""
    turns = 0

    async def other():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    found = await work
    task.cancel()
    return found, turns
