"""Checks of documents are freed with their exchange, by reference counting alone."""

import pytest

from tests.kit.client import post
from tests.kit.proxy import config, serving
from tests.kit.survivors import nothing_survives
from tests.kit.waiting import eventually

XML = "Content-Type: text/xml"
RUNS = {
    "valid": post(b"<a><b/></a>", XML),
    "malformed": post(b"<a><b>", XML),
    "too deep": post(b"<a>" * 100, XML),
    "other content": post(b"plain", "Content-Type: text/plain"),
    "large": post(b"<a>" + b"<b/>" * 20_000 + b"</a>", XML),
}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("plugin", ["xml_validation", "json_validation"])
async def test_check_is_freed_at_the_end(tmp_path, member, plugin, run):
    async def once():
        async with proxy.client() as client:
            assert (await client.ask(RUNS[run])).status
        await eventually(lambda: not proxy.connections)

    async with serving(tmp_path, config(member.address, route={"plugins": [plugin]})) as proxy:
        await nothing_survives(once)


async def test_check_that_its_client_left_is_freed(tmp_path, member):
    async def once():
        async with proxy.client() as client:
            await client.send(
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n%b\r\n\r\n<a>" % XML.encode()
            )
            await eventually(lambda: proxy.listener.service.active)
        await eventually(lambda: not (proxy.connections or proxy.listener.service.active))

    async with serving(tmp_path, config(member.address, route={"plugins": ["xml_validation"]})) as proxy:
        await nothing_survives(once)
