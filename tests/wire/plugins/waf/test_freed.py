"""Transactions are freed at their end, by reference counting alone."""

import pytest

from tests.kit.client import get, post
from tests.kit.survivors import nothing_survives
from tests.kit.waiting import eventually
from tests.wire.plugins.waf.protected import RULES, protecting

FORM = "Content-Type: application/x-www-form-urlencoded"
RUNS = {
    "an ordinary request": get("/?q=hello"),
    "a form": post(b"q=hello", FORM),
    "JSON": post(b'{"q": "hello"}', "Content-Type: application/json"),
    "XML": post(b"<q>hello</q>", "Content-Type: text/xml"),
    "an attack": post(b"q=attack", FORM),
    "a dropped request": get("/dropped"),
}


@pytest.mark.parametrize("mode", ["block", "detect"])
@pytest.mark.parametrize("run", RUNS)
async def test_transaction_is_freed_at_its_end(tmp_path, member, run, mode):
    async def once():
        async with waf.client() as client:
            await client.send(RUNS[run])
            await client.some() if run != "a dropped request" or mode == "detect" else await client.closed()
        await eventually(lambda: not waf.proxy.connections)

    async with protecting(tmp_path, member, files=None, rules=RULES, mode=mode) as waf:
        await nothing_survives(once)
