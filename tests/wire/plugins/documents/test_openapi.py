"""An API over sockets: what reaches the member, and what the client is told."""

import json

from tests.kit.client import get, post
from tests.kit.member import Member, answering, response
from tests.wire.plugins.documents.checked import asked, example

ORDER = {"customer": "x", "items": [{"sku": "a", "count": 1}]}
JSON = "Content-Type: application/json"


async def test_only_requests_of_the_document_reach_the_member(tmp_path):
    created = response(b"", "Location: /api/orders/1", status=201)
    async with Member(answering(created)) as member, example(member, tmp_path) as proxy:
        body = json.dumps(ORDER).encode()
        assert (await asked(proxy, post(body, JSON, target="/api/orders"))).status == 201
        assert member.requests[-1][b"content-length"] == b"%d" % len(body)
        for data, status in (
            (get("/api/orders?limit=x"), 400),
            (get("/api/other"), 404),
            (post(b"{}", JSON, target="/api/orders"), 400),
            (post(b"", JSON, target="/api/orders"), 400),
            (post(body, "Content-Type: text/plain", target="/api/orders"), 415),
        ):
            reply = await asked(proxy, data)
            assert (reply.status, reply[b"content-type"]) == (status, b"application/problem+json")
        assert len(member.requests) == 1


async def test_response_that_breaks_the_document_becomes_502(tmp_path):
    replies = [response(json.dumps(value).encode(), JSON) for value in ({**ORDER, "id": 1}, ORDER)]
    async with Member(answering(*replies)) as member, example(member, tmp_path) as proxy:
        assert (await asked(proxy, get("/api/orders/1"))).status == 200
        reply = await asked(proxy, get("/api/orders/1"))
        assert reply.status == 502
        assert b"sku" not in reply.body
