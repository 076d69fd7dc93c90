"""Trailers of content that plugins read and change."""

import pytest

from tests.kit.client import chunked
from tests.kit.member import Member, answering
from tests.wire.plugins.plugged import asked
from tests.wire.test_trailers import TE, trailed

TRAILERS = ["X-Sum: 7", "Content-Digest: sha-256=:AAAA:"]
KEPT = [(b"x-sum", b"7")]


@pytest.mark.parametrize("plugin", ["pieces", "whole", "slow"])
async def test_trailers_follow_changed_content_without_its_digests(folder, plugin):
    async with Member(answering(trailed(b"two", b"four"))) as member:
        data = chunked(b"on", b"e", trailers=TRAILERS, fields=TE)
        reply = await asked(folder, member, data, plugin)
        (request,) = member.requests
        assert request.body != b"one"
        assert reply.body != b"twofour"
        assert (request.trailers, reply.trailers) == (KEPT, KEPT)


async def test_trailers_pass_plugins_that_read_no_content_unchanged(folder):
    async with Member(answering(trailed(b"two", b"four"))) as member:
        reply = await asked(folder, member, chunked(b"one", trailers=TRAILERS, fields=TE), "tag")
        assert len(member.requests[0].trailers) == len(reply.trailers) == 2
