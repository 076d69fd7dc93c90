"""Head phases that wait only for some exchanges, and fields on error pages."""

import pytest

from tests.kit.client import get, post
from tests.kit.member import Member, answering, echo
from tests.kit.proxy import config, serving
from tests.kit.survivors import nothing_survives
from tests.kit.waiting import eventually

PLUGINS = '''
import asyncio
from adc.plugin import Options, Plugin, Response

class SeldomOptions(Options):
    tag: str = "a"

class Seldom(Plugin[SeldomOptions]):
    """Waits for requests with X-Wait, and answers those with X-Answer."""
    name = "seldom"
    tasks = set()
    def request_head(self, context):
        if b"x-wait" in context.request.headers:
            return self._later(context)
        return self._now(context)
    async def _later(self, context):
        await asyncio.sleep(0.001)
        if context.request.headers.get(b"x-wait") == b"ever":
            await asyncio.Event().wait()
        if context.request.headers.get(b"x-wait") == b"raise":
            raise RuntimeError
        return self._now(context)
    def _now(self, context):
        headers = context.request.headers
        headers.set(b"X-Order", (headers.get(b"x-order") or b"") + self.options.tag.encode())
        if headers.get(b"x-answer") == self.options.tag.encode():
            return Response(403, [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")], error_page=True)
    def response_head(self, context):
        if b"x-slow-response" in context.request.headers:
            return self._head(context)
    async def _head(self, context):
        await asyncio.sleep(0.001)
        context.response.headers.set(b"X-Late", self.options.tag.encode())

class Marks(Plugin[SeldomOptions]):
    """Marks error pages too."""
    name = "marks"
    error_pages = True
    def response_head(self, context):
        if b"x-fail" in context.request.headers:
            raise RuntimeError
        context.response.headers.set(b"X-Mark", self.options.tag.encode())
'''


async def asked(folder, data, *plugins, script=None):
    (folder / "plugins").mkdir()
    (folder / "plugins" / "several.py").write_text(PLUGINS)
    async with Member(script or answering(echo)) as member:
        mapping = config(
            member.address, plugin_paths=[str(folder / "plugins")], route={"plugins": list(plugins)}
        )
        async with serving(folder, mapping) as proxy, proxy.client() as client:
            return await client.ask(data)


BOTH = ({"seldom": {"tag": "a"}}, {"seldom": {"tag": "b"}})


@pytest.mark.parametrize("fields", [(), ("X-Wait: 1",)])
async def test_phases_run_in_order_whether_one_waits_or_none(tmp_path, fields):
    reply = await asked(tmp_path, get("/", *fields), *BOTH)
    assert b"X-Order: ab\r\n" in reply.body


async def test_content_that_arrives_while_a_phase_waits_reaches_the_member(tmp_path):
    reply = await asked(tmp_path, post(b"content", "X-Wait: 1"), *BOTH)
    assert reply.body.endswith(b"\r\n\r\ncontent")


@pytest.mark.parametrize(
    "fields", [("X-Answer: b",), ("X-Answer: b", "X-Wait: 1"), ("X-Answer: a", "X-Wait: 1")]
)
async def test_plugin_answers_after_waiting_with_every_field(tmp_path, fields):
    reply = await asked(tmp_path, get("/", *fields), *BOTH)
    assert reply.status == 403
    assert [value for name, value in reply.fields if name.lower() == b"set-cookie"] == [b"a=1", b"b=2"]


async def test_failure_after_waiting_fails_closed(tmp_path):
    assert (await asked(tmp_path, get("/", "X-Wait: raise"), *BOTH)).status == 500


async def test_response_head_waits_too(tmp_path):
    reply = await asked(tmp_path, get("/", "X-Slow-Response: 1"), *BOTH)
    assert reply[b"x-late"] == b"a"


async def closing(conversation):
    await conversation.request()


async def test_error_page_gets_fields_of_plugins_that_want_it(tmp_path):
    reply = await asked(tmp_path, get(), "marks", *BOTH, script=closing)
    assert (reply.status, reply[b"x-mark"]) == (502, b"a")


async def test_failure_on_an_error_page_changes_nothing(tmp_path):
    reply = await asked(tmp_path, get("/", "X-Fail: 1"), "marks", script=closing)
    assert reply.status == 502
    assert not reply.all(b"x-mark")


WAITING = [("X-Wait: 1",), ("X-Wait: 1", "X-Answer: b"), ("X-Slow-Response: 1",), ("X-Wait: raise",)]


@pytest.mark.parametrize("fields", WAITING)
async def test_exchange_whose_phases_waited_is_freed_at_its_end(tmp_path, fields):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "several.py").write_text(PLUGINS)
    async with Member(answering(echo)) as member:
        route = {"plugins": [*BOTH, "marks"]}
        mapping = config(member.address, plugin_paths=[str(tmp_path / "plugins")], route=route)
        async with serving(tmp_path, mapping) as proxy:

            async def once():
                async with proxy.client() as client:
                    assert (await client.ask(get("/", *fields))).status
                await eventually(lambda: not proxy.connections)

            await nothing_survives(once)


async def test_client_that_leaves_while_a_phase_waits_cancels_it(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "several.py").write_text(PLUGINS)
    async with Member(answering(echo)) as member:
        mapping = config(
            member.address,
            plugin_paths=[str(tmp_path / "plugins")],
            route={"plugins": [{"seldom": {"tag": "never"}}]},
        )
        async with serving(tmp_path, mapping) as proxy:

            async def once():
                async with proxy.client() as client:
                    await client.send(get("/", "X-Wait: ever"))
                    await eventually(lambda: proxy.listener.service.active)
                await eventually(lambda: not (proxy.connections or proxy.listener.service.active))

            await nothing_survives(once)
            assert not member.requests
