"""Plugins that respond with an error page of adc, or abort the connection."""

import json

import pytest

from tests.kit.client import get
from tests.kit.proxy import config, serving
from tests.wire.plugins.plugged import asked, route

PHASES = ["request_head", "response_head"]


async def exchanged(folder, member, data, options, **top):
    mapping = config(member.address, **route({"refuses": options}, folder=folder, **top))
    async with serving(folder, mapping) as proxy, proxy.client() as client:
        reply = await client.ask(data)
        return reply, proxy.access_log()[0]


@pytest.mark.parametrize("phase", PHASES)
async def test_error_page_has_the_request_id_and_the_plugins_fields(folder, member, phase):
    reply, logged = await exchanged(folder, member, get(), {"phase": phase})
    assert (reply.status, reply[b"x-by"]) == (403, b"refuses")
    assert logged["request_id"].encode() in reply.body
    assert logged["end_reason"] == "denied"


async def test_error_page_is_json_for_clients_that_prefer_it(folder, member):
    reply = await asked(folder, member, get("/", "Accept: application/json"), "refuses")
    assert json.loads(reply.body)["status"] == 403


async def test_error_page_comes_from_error_pages(folder, member):
    page = folder / "403.html"
    page.write_text("blocked {{ request_id }}")
    reply, logged = await exchanged(folder, member, get(), {}, error_pages={"403": str(page)})
    assert reply.body == f"blocked {logged['request_id']}".encode()


async def test_error_page_of_a_status_that_adc_never_sends_has_its_phrase(folder, member):
    reply = await asked(folder, member, get(), {"refuses": {"status": 406}})
    assert (reply.status, b"Not Acceptable" in reply.body) == (406, True)


@pytest.mark.parametrize("phase", PHASES)
async def test_abort_sends_no_response(folder, member, phase):
    mapping = config(member.address, **route({"refuses": {"abort": True, "phase": phase}}, folder=folder))
    async with serving(folder, mapping) as proxy, proxy.client() as client:
        await client.send(get())
        assert not await client.closed()
        assert proxy.access_log()[0]["end_reason"] == "denied"
