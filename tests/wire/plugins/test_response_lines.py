"""Fields that a request phase has for the response."""

import pytest

from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving

PLUGINS = """
from adc.plugin import NoOptions, Plugin, Response

class Telling(Plugin[NoOptions]):
    name = "telling"
    count = 0
    def request_head(self, context):
        Telling.count += 1
        context.response_lines = ((b"X-Told", b"%d" % Telling.count),)
        if context.request.path == "/fail":
            raise ValueError
        if context.request.path == "/own":
            return Response(403, {}, "no")

class Reading(Plugin[NoOptions]):
    name = "reading"
    def response_head(self, context):
        context.response.headers.set(b"X-Read", context.response.headers.get(b"x-told") or b"nothing")

class Answering(Plugin[NoOptions]):
    name = "answering"
    def request_head(self, context):
        if context.request.path == "/answer":
            return Response(403, {}, "no")
"""


async def asked(tmp_path, plugins, *paths, **more):
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "told.py").write_text(PLUGINS)
    route = {"plugins": plugins, **more.pop("route", {})}
    async with Member(answering(response(b"m", "Cache-Control: max-age=60"))) as member:
        mapping = config(member.address, route=route, plugin_paths=[str(folder)], **more)
        async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
            return [await client.ask(get(path)) for path in paths]


async def test_response_of_a_member_has_them(tmp_path):
    replies = await asked(tmp_path, ["telling"], "/a", "/b")
    assert [reply[b"x-told"] for reply in replies] == [b"1", b"2"]


@pytest.mark.parametrize("order", [["reading", "telling"], ["telling", "reading"]])
async def test_response_phases_see_them(tmp_path, order):
    (reply,) = await asked(tmp_path, order, "/a")
    assert reply[b"x-read"] == b"1"


async def test_answer_of_a_later_plugin_has_them(tmp_path):
    (reply,) = await asked(tmp_path, ["telling", "answering"], "/answer")
    assert (reply.status, reply[b"x-told"]) == (403, b"1")


async def test_answer_of_the_plugin_itself_does_not_have_them(tmp_path):
    (reply,) = await asked(tmp_path, ["telling"], "/own")
    assert reply.status == 403
    assert b"x-told" not in reply


async def test_error_page_does_not_have_them(tmp_path):
    (reply,) = await asked(tmp_path, ["telling"], "/fail")
    assert reply.status >= 500
    assert b"x-told" not in reply


async def test_hits_of_the_cache_have_their_own(tmp_path):
    cached = {"route": {"cache": {"store": "site"}}, "caches": {"site": {"memory": "8MB"}}}
    replies = await asked(tmp_path, ["telling"], "/a", "/a", **cached)
    assert [reply[b"x-told"] for reply in replies] == [b"1", b"2"]
    assert b"hit" in replies[1][b"cache-status"]
