"""Purges that all workers make."""

from types import SimpleNamespace

import pytest

from adc.control.caches import purge_everywhere
from adc.control.calls import CallFailed


class FakeFleet:
    """Workers by number, of which some do not answer."""

    def __init__(self, silent=(), gone=()):
        self.workers = {number: SimpleNamespace() for number in range(3)}
        self._silent = silent
        self._gone = gone

    async def call_one(self, command, arguments):
        return {"shared": 2}

    async def call_all(self, command, arguments):
        answers = {
            number: {"own": 1} for number in self.workers if number not in (*self._silent, *self._gone)
        }
        for number in self._gone:
            del self.workers[number]
        return answers


async def test_counts_of_shared_stores_and_of_each_workers_own_are_added():
    assert await purge_everywhere(FakeFleet(), {}) == {"shared": 2, "own": 3}


async def test_a_worker_that_serves_on_without_having_purged_is_a_failure():
    with pytest.raises(CallFailed, match="worker 1 did not purge"):
        await purge_everywhere(FakeFleet(silent=[1]), {})


async def test_a_worker_that_died_holds_nothing_any_more():
    assert await purge_everywhere(FakeFleet(gone=[1]), {}) == {"shared": 2, "own": 2}
