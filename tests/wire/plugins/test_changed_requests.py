"""Request content that a plugin changes: the member gets the right length, and no digest of the former content."""

import pytest

from tests.kit.client import chunked, post
from tests.kit.member import Member
from tests.wire.plugins.plugged import asked

DIGESTS = (
    "Content-Digest: sha-256=:x:",
    "Repr-Digest: sha-256=:x:",
    "Digest: sha-256=x",
    "Content-MD5: x",
)
NAMES = {b"content-digest", b"repr-digest", b"digest", b"content-md5"}


async def received(folder, data, plugin):
    async with Member() as member:
        assert (await asked(folder, member, data, plugin)).status == 200
        return member.requests[0]


def digests(request):
    return {name for name, _ in request.fields} & NAMES


@pytest.mark.parametrize("data", [post(b"ab", *DIGESTS), chunked(b"a", b"b", fields=DIGESTS)])
async def test_content_changed_in_chunks_is_chunked_and_has_no_digest(folder, data):
    request = await received(folder, data, "pieces")
    assert request.body == b"bbb!"
    assert request[b"transfer-encoding"] == b"chunked"
    assert b"content-length" not in request
    assert not digests(request)


@pytest.mark.parametrize("data", [post(b"ab", *DIGESTS), chunked(b"a", b"b", fields=DIGESTS)])
async def test_content_changed_in_whole_has_its_length_and_no_digest(folder, data):
    request = await received(folder, data, "whole")
    assert (request.body, request[b"content-length"]) == (b"<ab>", b"4")
    assert b"transfer-encoding" not in request
    assert not digests(request)


async def test_content_that_a_plugin_only_reads_keeps_length_and_digests(folder):
    for plugin in ("reads", "begins"):
        request = await received(folder, post(b"ab", *DIGESTS), plugin)
        assert (request.body, request[b"content-length"]) == (b"ab", b"2")
        assert digests(request) == NAMES
        request = await received(folder, chunked(b"a", b"b", fields=DIGESTS), plugin)
        assert request[b"transfer-encoding"] == b"chunked"
        assert digests(request) == NAMES


async def test_beginning_that_is_replaced_loses_digests(folder):
    request = await received(folder, post(b"ab", *DIGESTS), {"begins": {"replace": True}})
    assert request.body == b"<ab>"
    assert not digests(request)


async def test_trailers_lose_the_same_digests(folder):
    data = chunked(b"ab", trailers=("Digest: x", "X-Told: y"), fields=("Trailer: Digest, X-Told",))
    request = await received(folder, data, "whole")
    assert (request.body, request.trailers) == (b"<ab>", [(b"x-told", b"y")])
