"""How many Python calls a hit in memory costs: a figure that is the same on every run."""

from adc.compilation import compiled
from tests.kit.client import get
from tests.kit.member import response
from tests.wire.cached import caching
from tests.wire.test_call_budget import FIELDS, Calls

BUDGET = 44 if compiled() else 63
"""Calls of Python functions for one hit on an open connection, logged and routed; those of compiled functions cannot
be counted. Raise it only with a reason. Each field of the request is one (see `test_call_budget.py`)."""


async def test_a_hit_stays_within_its_budget_of_calls(tmp_path):
    page = response(b"x" * 1000, "Cache-Control: max-age=100", "Content-Type: text/html", 'ETag: "a"')
    async with caching(tmp_path, page) as cached:
        await cached.get("/page")
        counts = []
        for _ in range(60):
            with Calls() as calls:
                assert (await cached.client.ask(get("/page", *FIELDS))).status == 200
            counts.append(calls.names)
        least = min(counts, key=len)  # the others had a tick of the clock in them
        assert len(cached.asked) == 1
        assert len(least) <= BUDGET, "\n".join(least)
