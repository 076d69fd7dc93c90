"""Users, and a cache behind the plugin that names them."""

import base64

from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving

ALICE = "$2y$08$1ZHM6DNnr55mlCUhkJk16uFef2SXW.aVaCPWXmek8ZqNDuGkgYSVC"
"""The hash of `wonderland`."""


def greeting(request):
    name = next(
        (line for line in request.raw.split(b"\r\n") if line.startswith(b"X-Forwarded-User")), b"nobody"
    )
    return response(name, "Cache-Control: public, max-age=60")


def credentials(name):
    return "Authorization: Basic " + base64.b64encode(f"{name}:wonderland".encode()).decode()


async def test_user_never_gets_the_stored_response_of_another(tmp_path):
    async with Member(answering(greeting)) as member:
        plugins = [{"basic_auth": {"users": {"alice": ALICE, "bob": ALICE}}}]
        route = {"plugins": plugins, "cache": True}
        mapping = config(member.address, route=route, caches={"default": {"memory": "1MB"}})
        async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
            for name in ("alice", "bob", "alice", "bob"):
                reply = await client.ask(get("/", credentials(name)))
                assert reply.body == f"X-Forwarded-User: {name}".encode()
            assert (await client.ask(get())).status == 401
        assert len(member.requests) == 2
