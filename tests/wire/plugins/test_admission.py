"""A plugin whose requests are admitted without a call of it, among others and with a cache."""

import pytest

from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving

PLUGINS = """
from adc.plugin import Admission, Lease, NoOptions, Plugin, Response

class Counting(Plugin[NoOptions]):
    name = "counting"

    async def start(self, host):
        lease = Lease()
        lease.units, lease.expires, lease.reset = 2, host.now() + 3600, host.now() + 30
        self.admission = Admission({"127.0.0.1": lease}, host.now, 1, b'"x";r=', (b"RateLimit-Policy", b'"x";q=2'))

    def request_head(self, context):
        return Response(429, {}, "used up")

class Counted(Counting):
    name = "counted"

    def log(self, context, record):
        pass

class Reading(Plugin[NoOptions]):
    name = "reading"

    def response_head(self, context):
        context.response.headers.set(b"X-Read", context.response.headers.get(b"ratelimit") or b"nothing")
"""


async def asked(tmp_path, plugins, **more):
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "counting.py").write_text(PLUGINS)
    route = {"plugins": plugins, **more.pop("route", {})}
    async with Member(answering(response(b"m", "Cache-Control: max-age=60"))) as member:
        mapping = config(member.address, route=route, plugin_paths=[str(folder)], **more)
        async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
            return [await client.ask(get("/a")) for _ in range(3)]


@pytest.mark.parametrize("plugins", [["counting"], ["counted"]])
async def test_admitted_requests_have_the_fields_and_others_are_refused(tmp_path, plugins):
    replies = await asked(tmp_path, plugins)
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert [reply[b"ratelimit"].partition(b";t=")[0] for reply in replies[:2]] == [b'"x";r=1', b'"x";r=0']
    assert replies[0][b"ratelimit-policy"] == b'"x";q=2'
    assert b"ratelimit" not in replies[2]


@pytest.mark.parametrize("plugins", [["counting", "reading"], ["reading", "counting"]])
async def test_response_phases_of_others_see_the_fields(tmp_path, plugins):
    replies = await asked(tmp_path, plugins)
    assert replies[0][b"x-read"] == replies[0][b"ratelimit"]


async def test_hits_of_the_cache_have_their_own(tmp_path):
    cached = {"route": {"cache": {"store": "site"}}, "caches": {"site": {"memory": "8MB"}}}
    replies = await asked(tmp_path, ["counting"], **cached)
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert b"hit" in replies[1][b"cache-status"]
    assert [reply[b"ratelimit"].partition(b";t=")[0] for reply in replies[:2]] == [b'"x";r=1', b'"x";r=0']
