"""Plugins that check content and never change it (`checks`), and phases left out of one use (`unused`)."""

import gzip

import pytest

from tests.kit.client import get, post
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually

PLUGINS = '''
from adc.plugin import NoOptions, Plugin, Response

class Checks(Plugin[NoOptions]):
    """Refuses content with a word, in a chunk."""
    name = "checks"
    checks = True
    def request_body(self, context, data, end):
        if b"attack" in data:
            return Response(400, {}, "refused")
        if b"change" in data:
            return b"changed"
    def response_body(self, context, data, end):
        if b"secret" in data:
            raise ValueError("withheld")

class Unused(Plugin[NoOptions]):
    name = "unused"
    seen = []
    def __init__(self, options):
        super().__init__(options)
        self.unused = frozenset({"response_head"})
    def request_head(self, context):
        self.seen.append("request_head")
    def response_head(self, context):
        self.seen.append("response_head")
'''


@pytest.fixture
def checked(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "several.py").write_text(PLUGINS)

    def serve(member, plugin="checks"):
        more = {"plugin_paths": [str(tmp_path / "plugins")], "route": {"plugins": [plugin]}}
        return serving(tmp_path, config(member.address, **more))

    return serve


async def test_content_keeps_its_length_digests_and_coding(checked):
    body = gzip.compress(b"x" * 1000)
    fields = ("Content-Encoding: gzip", "Digest: sha-256=abc", 'ETag: "1"')
    async with Member(answering(response(body, *fields))) as member, checked(member) as proxy:
        async with proxy.client() as client:
            reply = await client.ask(post(body, "Digest: sha-256=abc"))
        request = member.requests[-1]
        assert (request.body, request[b"content-length"]) == (body, b"%d" % len(body))
        assert request[b"digest"] == b"sha-256=abc"
        assert (reply.body, reply[b"content-length"]) == (body, b"%d" % len(body))
        assert (reply[b"digest"], reply[b"etag"]) == (b"sha-256=abc", b'"1"')


async def test_request_refused_in_its_first_chunk_reaches_no_member(checked, member):
    async with checked(member) as proxy, proxy.client() as client:
        assert (await client.ask(post(b"attack"))).status == 400
        assert not member.connections


async def test_request_refused_later_never_becomes_whole_at_the_member(checked):
    async with Member() as member, checked(member) as proxy, proxy.client() as client:
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbegin")
        await eventually(lambda: b"begin" in member.received)
        await client.send(b"attack")
        assert (await client.reply()).status == 400
        assert not member.requests
        assert b"attack" not in member.received


async def test_result_that_would_change_content_is_a_failure(checked, member):
    async with checked(member) as proxy, proxy.client() as client:
        assert (await client.ask(post(b"change"))).status == 500


async def test_failure_before_the_head_of_the_response_is_out_is_an_error(checked):
    async with (
        Member(answering(response(b"secret"))) as member,
        checked(member) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get("/"))).status == 500


async def test_unused_phases_are_not_called(checked, member):
    async with checked(member, "unused") as proxy, proxy.client() as client:
        await client.ask(get("/"))
        chain = proxy.worker.runtime.plugins.chains["all"]
        assert chain.uses[0].plugin.seen == ["request_head"]
        assert not chain.responses
