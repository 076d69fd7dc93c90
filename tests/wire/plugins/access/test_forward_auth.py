"""Authentication by another service, over sockets."""

import asyncio

from tests.kit.client import chunked, get, post
from tests.kit.member import Member, answering, echo, response
from tests.kit.proxy import config, serving


def decide(request):
    """The service: a cookie decides."""
    if b"s=right" in request.raw:
        return response(b"", "X-User: alice", "Set-Cookie: seen=1")
    return response(b"log in", "Location: /login", "Set-Cookie: back=1", status=302)


async def exchanged(folder, script, *requests, **options):
    async with Member(script) as service, Member(answering(echo)) as member:
        url = f"http://127.0.0.1:{service.port}/verify"
        route = {"plugins": [{"forward_auth": {"url": url, "copy": ["X-User"], **options}}]}
        async with serving(folder, config(member.address, route=route)) as proxy, proxy.client() as client:
            return [await client.ask(data) for data in requests], service, member


async def test_service_decides_and_names_the_user(tmp_path):
    requests = [get("/p"), post(b"content", "Cookie: s=right", "X-User: root", target="/p")]
    (refused, passed), service, member = await exchanged(
        tmp_path, answering(decide), *requests, copy_to_client=["Set-Cookie"]
    )
    assert (refused.status, refused[b"location"], refused.body) == (302, b"/login", b"log in")
    assert refused[b"set-cookie"] == b"back=1"
    assert (passed.status, passed[b"set-cookie"]) == (200, b"seen=1")
    assert b"X-User: alice\r\n" in passed.body
    assert b"root" not in passed.body
    assert passed.body.endswith(b"content")
    assert (len(service.connections), len(service.requests), len(member.requests)) == (1, 2, 1)
    assert b"content" not in service.received.rpartition(b"\r\n\r\n")[2]


async def test_trailer_cannot_name_the_user(tmp_path):
    trailers = ["X-User: root", "x_user: root", "X-Sum: 7"]
    data = chunked(b"content", trailers=trailers, fields=["Cookie: s=right"])
    _, _, member = await exchanged(tmp_path, answering(decide), data)
    assert member.requests[0].trailers == [(b"x-sum", b"7")]


async def test_service_that_is_silent_is_a_503(tmp_path):
    async def silent(conversation):
        await conversation.request()
        await asyncio.Event().wait()

    (reply,), _, member = await exchanged(tmp_path, silent, get(), auth_timeout="50ms")
    assert (reply.status, len(member.requests)) == (503, 0)
