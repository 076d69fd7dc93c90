from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adc.plugin.watch import WATCH, Overrun, watched

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _watching() -> None:
    WATCH.install()


def spin() -> None:
    while True:
        pass


def swallow() -> None:
    while True:
        with contextlib.suppress(Exception):
            spin()


def backtrack() -> None:
    re.match("(a+)+$", "a" * 60 + "b")


# A look that falls into the callback of a weak reference is reported and lost; the next one comes 25 ms later.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("hog", [spin, swallow, backtrack])
def test_code_over_its_budget_is_interrupted(hog: object) -> None:
    began = time.monotonic()
    WATCH.begin(0.03)
    try:
        with pytest.raises(Overrun):
            hog()  # type: ignore[operator]
    finally:
        with contextlib.suppress(Overrun):
            WATCH.end()
    assert time.monotonic() - began < 5


def test_code_that_blocks_is_found_out_when_it_comes_back() -> None:
    WATCH.begin(0.001)
    time.sleep(0.002)
    with pytest.raises(Overrun):
        WATCH.end()


def test_code_within_its_budget_is_left_alone_and_so_is_what_follows() -> None:
    WATCH.begin(0.02)
    WATCH.end()
    until = time.process_time() + 0.06
    while time.process_time() < until:
        pass


async def test_waiting_does_not_count_but_working_between_does() -> None:
    async def waits() -> str:
        for _ in range(3):
            await asyncio.sleep(0.02)
        return "done"

    async def works() -> None:
        await asyncio.sleep(0)
        spin()

    assert await watched(waits(), 0.02) == "done"
    with pytest.raises(Overrun):
        await watched(works(), 0.03)


async def test_exception_thrown_into_a_wait_reaches_the_code() -> None:
    async def waits() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "cancelled"
        return "not"

    task = asyncio.ensure_future(asyncio.wait_for(watched(waits(), 1), 5))
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        assert await task == "cancelled"


def test_process_with_a_watch_exits_with_its_own_code() -> None:
    code = (
        "from adc.plugin.watch import WATCH; WATCH.install(); "
        "left = {i: [[i]] for i in range(1_000_000)}"  # whose end takes processor time
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
