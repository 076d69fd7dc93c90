"""Samples packed part by part."""

import asyncio
import itertools

import pytest

from adc.control import sample_parts
from adc.control.sample_parts import packed, unpacked
from adc.telemetry.samples import Sample


def groups(sizes):
    """Groups of these sizes, of samples that are all different."""
    numbers = itertools.count()
    return [[Sample("adc_pool_active", (f"p{next(numbers)}",), 0.5) for _ in range(size)] for size in sizes]


@pytest.mark.parametrize("turn", [0.0, 60.0])
@pytest.mark.parametrize("sizes", [(), (0,), (1,), (3, 600, 5), (7,) * 100])
async def test_samples_arrive_as_they_were(sizes, turn, monkeypatch):
    monkeypatch.setattr(sample_parts, "TURN", turn)
    made = groups(sizes)
    assert unpacked(await packed(iter(made))) == list(itertools.chain.from_iterable(made))


async def test_others_have_their_turn_between_groups_and_not_within_one(monkeypatch):
    monkeypatch.setattr(sample_parts, "TURN", 0.0)
    turns = 0
    during = []

    async def other():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def read(group):
        before = turns
        yield from group
        during.append(turns - before)

    task = asyncio.create_task(other())
    await packed(read(group) for group in groups((50,) * 40))
    task.cancel()
    assert turns >= 40
    assert during == [0] * 40
