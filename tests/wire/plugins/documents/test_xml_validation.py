"""XML over sockets: what reaches the member, and what the client is told."""

import pytest

from tests.kit.client import chunked, get, post
from tests.kit.proxy import config, serving
from tests.kit.xml_attacks import ATTACKS
from tests.wire.plugins.documents.checked import asked, example

GOOD = b'<order><customer>x</customer><item sku="a" count="1"/></order>'
XML = "Content-Type: text/xml"


@pytest.fixture
async def proxy(member, tmp_path):
    async with example(member, tmp_path) as proxy:
        yield proxy


async def test_valid_document_reaches_the_member_with_its_length(proxy, member):
    response = await asked(proxy, post(GOOD, XML, target="/soap/order"))
    assert response.status == 200
    request = member.requests[-1]
    assert (request.body, request[b"content-length"]) == (GOOD, b"%d" % len(GOOD))


async def test_invalid_document_never_reaches_the_member(proxy, member):
    response = await asked(proxy, post(GOOD.replace(b'"1"', b'"0"'), XML, target="/soap/order"))
    assert response.status == 400
    assert b"<line>1</line>" in response.body
    assert not member.requests


async def test_get_passes(proxy):
    assert (await asked(proxy, get("/soap/?wsdl"))).status == 200


async def test_attacks_are_refused_over_a_socket(proxy, member):
    async with proxy.client() as client:
        for name, (content_type, fields, content) in ATTACKS.items():
            lines = [f"{key}: {value}" for key, value in fields.items()]
            if content_type:
                lines.append(f"Content-Type: {content_type}")
            response = await client.ask(post(content, *lines, target="/soap/"))
            assert response.status in (400, 413, 415), name
    assert not member.requests


@pytest.mark.parametrize("options", [{"soap": True}, {"soap": True, "on_invalid": "report"}])
async def test_soap_request_without_content_is_invalid_however_it_is_framed(member, tmp_path, options):
    plugins = [{"xml_validation": options}]
    async with serving(tmp_path, config(member.address, route={"plugins": plugins})) as proxy:
        for data in (post(b"", XML), chunked(b"", fields=[XML])):
            reply = await asked(proxy, data)
            if "on_invalid" in options:
                assert reply.status == 200
                assert b"content is required" in member.requests[-1][b"x-validation"]
            else:
                assert reply.status == 400
                assert b"<faultstring>content is required</faultstring>" in reply.body
                assert not member.requests
