"""Refusals of the bundled rate limit, over sockets."""

from tests.kit.client import get
from tests.kit.member import Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually


def limited(member, **options):
    return config(member.address, route={"plugins": [{"rate_limit": options}]})


async def test_refused_request_gets_429_and_never_reaches_the_member(tmp_path):
    async with (
        Member() as member,
        serving(tmp_path, limited(member, rate="2/h")) as proxy,
        proxy.client() as client,
    ):
        first = await client.ask(get())
        assert (first.status, first[b"ratelimit"]) == (200, b'"default";r=1;t=1800')
        assert first[b"ratelimit-policy"] == b'"default";q=2;w=3600'
        assert (await client.ask(get())).status == 200
        refused = await client.ask(get())
        assert (refused.status, refused[b"retry-after"]) == (429, b"1800")
        assert refused[b"ratelimit"].startswith(b'"default";r=0;t=3')
        assert len(member.requests) == 2
        assert proxy.access_log()[-1]["end_reason"] == "rate_limited"


async def test_delayed_request_of_a_client_that_leaves_is_dropped(tmp_path):
    async with Member() as member, serving(tmp_path, limited(member, rate="1/4s", delay="4s")) as proxy:
        async with proxy.client() as client:
            assert (await client.ask(get())).status == 200
        async with proxy.client() as client:
            await client.send(get())
            await eventually(lambda: len(proxy.connections) == 1)
        await eventually(lambda: not proxy.connections)
        assert len(member.requests) == 1
        assert not proxy.errors
