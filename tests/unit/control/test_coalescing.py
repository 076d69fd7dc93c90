"""Wishes that come at once."""

import asyncio

import pytest

from adc.control.coalescing import Coalescing


class Work:
    def __init__(self):
        self.begun = 0
        self.go_on = asyncio.Event()

    async def __call__(self):
        self.begun += 1
        number = self.begun
        await self.go_on.wait()
        return number


async def test_a_storm_of_wishes_costs_two_runs():
    work = Work()
    coalescing = Coalescing(work)
    first = asyncio.ensure_future(coalescing())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    storm = [asyncio.ensure_future(coalescing()) for _ in range(50)]
    await asyncio.sleep(0)
    work.go_on.set()
    assert await first == 1
    assert set(await asyncio.gather(*storm)) == {2}


async def test_a_wish_during_a_run_is_not_met_by_that_run():
    work = Work()
    coalescing = Coalescing(work)
    first = asyncio.ensure_future(coalescing())
    while not work.begun:
        await asyncio.sleep(0)
    second = asyncio.ensure_future(coalescing())
    await asyncio.sleep(0)
    work.go_on.set()
    assert [await first, await second] == [1, 2]


async def test_a_run_goes_on_without_the_one_who_asked_for_it():
    work = Work()
    coalescing = Coalescing(work)
    asked = asyncio.ensure_future(coalescing())
    while not work.begun:
        await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    work.go_on.set()
    assert await coalescing() == 2
