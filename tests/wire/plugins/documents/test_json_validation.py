"""JSON over sockets: what reaches the member, and what the client is told."""

import json

from tests.kit.client import chunked, get, post
from tests.wire.plugins.documents.checked import asked, example

GOOD = b'{"customer": "x", "items": [{"sku": "a", "count": 1}]}'
JSON = "Content-Type: application/json"


async def test_only_valid_documents_reach_the_member(member, tmp_path):
    async with example(member, tmp_path) as proxy:
        assert (await asked(proxy, post(GOOD, JSON, target="/orders/"))).status == 200
        assert member.requests[-1].body == GOOD
        reply = await asked(proxy, post(b"[" * 300_000, JSON, target="/orders/"))
        assert reply.status == 413
        reply = await asked(proxy, post(b'{"customer": 1, "items": []}', JSON, target="/orders/"))
        assert (reply.status, reply[b"content-type"]) == (400, b"application/problem+json")
        assert {error["pointer"] for error in json.loads(reply.body)["errors"]} == {"/customer", "/items"}
        assert len(member.requests) == 1


async def test_trailer_cannot_say_that_a_document_is_invalid(member, tmp_path):
    data = chunked(GOOD, trailers=["X-Validation: json", "X-Sum: 7"], fields=[JSON], target="/orders/")
    async with example(member, tmp_path) as proxy:
        assert (await asked(proxy, data)).status == 200
    assert member.requests[-1].trailers == [(b"x-sum", b"7")]


async def test_only_requests_that_need_a_document_are_refused_without_one(member, tmp_path):
    nothing = [post(b"", JSON, target="/orders/"), chunked(b"", fields=[JSON], target="/orders/")]
    async with example(member, tmp_path) as proxy:
        for data in nothing:
            assert (await asked(proxy, data)).status == 400
        assert not member.requests
        for method in ("GET", "DELETE"):
            assert (await asked(proxy, get("/orders/", JSON, method=method))).status == 200
