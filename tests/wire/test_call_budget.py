"""How many Python calls one plain request costs: a figure that is the same on every run, where a timing
is not.
"""

import sys

import pytest

from adc.compilation import compiled
from tests.kit.client import get
from tests.kit.member import Member
from tests.kit.proxy import config, serving

BUDGET = 95
"""Calls of Python functions for one GET on open connections, logged and routed. Raise it only with a
reason. The stages of batches are some 20 of them: they cost less than what they spare the caches. Each field
of the request is one: the compiled call costs a third of two walks over the fields.
"""

FIELDS = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64)",
    "Accept: text/html,application/xhtml+xml,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br",
    "Cookie: session=0123456789abcdef",
)


class Calls:
    """The functions called while it is entered, without those of the tests and of asyncio that serve the
    tests.
    """

    def __init__(self):
        self.names = []

    def __enter__(self):
        sys.setprofile(self._count)
        return self

    def __exit__(self, *error):
        sys.setprofile(None)

    def _count(self, frame, event, argument):
        code = frame.f_code
        if event == "call" and not any(
            part in code.co_filename for part in ("/tests/", "/asyncio/", "contextlib", "<")
        ):
            self.names.append(code.co_qualname)


PINNED = 9
"""Calls more for a client that a table pins to its member; what a balancer is not asked is taken off."""


async def test_a_pinned_client_costs_a_few_calls_more(tmp_path):
    state = {"backend": "local", "path": str(tmp_path / "state")}
    pool = {"persistence": {"source": {"timeout": "10m"}}}
    async with Member() as member:
        plain = await least_calls(tmp_path / "plain", config(member.address))
        pinned = await least_calls(tmp_path / "pinned", config(member.address, pool=pool, state=state))
    assert "LocalTable.lookup" in pinned
    assert "LocalTable._read" not in pinned
    assert len(pinned) <= len(plain) + PINNED, "\n".join(pinned)


async def least_calls(folder, mapping):
    """The calls of the cheapest of some requests: the others had a tick of the clock in them, or a URL that aiohttp
    had not seen before."""
    counts = []
    async with serving(folder, mapping) as proxy, proxy.client() as client:
        for number in range(100):
            with Calls() as calls:
                page = f"/page/{number % 10}?q={number % 10}"
                assert (await client.ask(get(page, *FIELDS))).status == 200
            counts.append(calls.names)
    return min(counts, key=len)


@pytest.mark.skipif(compiled(), reason="calls of compiled functions cannot be counted; see ADC_COMPILED=0")
async def test_a_plain_request_stays_within_its_budget_of_calls(tmp_path):
    async with Member() as member:
        least = await least_calls(tmp_path, config(member.address))
    assert len(least) <= BUDGET, "\n".join(least)
    assert least.count("RequestReader.data_received") == 1
