"""A cache before a pool that pins its clients: the pin is the client's own, whatever is shared."""

import asyncio

from tests.kit.client import get
from tests.kit.member import Member, response
from tests.kit.proxy import config, serving

CACHES = {"site": {"memory": "8MB"}}


async def served(tmp_path, reply, clients):
    """The replies to the same GET of `clients`, one after another, and the requests that reached the member."""

    async def script(conversation):
        while True:
            await conversation.request()
            await asyncio.sleep(0)
            await conversation.send(reply)

    async with Member(script) as member:
        mapping = config(
            member.address,
            route={"cache": {"store": "site"}},
            pool={"persistence": {"cookie": {"name": "pin"}}},
            caches=CACHES,
            state={"backend": "memory"},
        )
        async with serving(tmp_path / "run", mapping) as proxy:
            replies = []
            for _ in range(clients):
                async with proxy.client() as client:
                    replies.append(await client.ask(get("/")))
            return replies, len(member.requests)


async def test_a_pin_is_never_stored_with_a_shared_response(tmp_path):
    replies, asked = await served(tmp_path, response(b"x", "Cache-Control: public, max-age=100"), 3)
    assert asked == 1
    assert [b"set-cookie" in reply for reply in replies] == [True, False, False]


async def test_unshared_response_is_pinned_as_without_a_cache(tmp_path):
    replies, asked = await served(tmp_path, response(b"x", "Cache-Control: private"), 3)
    assert asked == 3
    assert all(reply[b"set-cookie"].startswith(b"pin") for reply in replies)
