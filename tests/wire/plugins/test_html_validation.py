"""`html_validation` over real connections."""

import gzip

import pytest

from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving

PAGE = b"<!DOCTYPE html><title>t</title><p a a>x</i>"
HTML = "Content-Type: text/html"


async def validated(folder, reply, options=None, data=None, route=None):
    """The response to a client whose route has the plugin."""
    async with Member(answering(reply)) as member:
        mapping = config(
            member.address, route={"plugins": [{"html_validation": options or {}}], **(route or {})}
        )
        async with serving(folder, mapping) as proxy, proxy.client() as client:
            return await client.ask(data or get())


async def test_report_has_a_field_and_the_same_content(folder):
    reply = await validated(folder, response(PAGE, HTML, 'ETag: "1"'))
    assert reply[b"x-html-validation"] == b'errors=2; first="1:38 duplicate-attribute"'
    assert (reply.body, reply[b"content-length"], reply[b"etag"]) == (PAGE, b"43", b'"1"')


async def test_compressed_content_is_reported_and_stays_compressed(folder):
    packed = gzip.compress(PAGE)
    reply = await validated(folder, response(packed, HTML, "Content-Encoding: gzip"))
    assert reply[b"x-html-validation"].startswith(b"errors=2")
    assert reply.body == packed


async def test_large_document_streams_behind_its_beginning(folder):
    page = PAGE + b"x" * 300_000
    reply = await validated(folder, response(page, HTML), {"max_size": "64KB"})
    assert reply[b"x-html-validation"].endswith(b"; incomplete")
    assert reply.body == page


async def test_repair_replaces_the_content(folder):
    coded = response(gzip.compress(PAGE), HTML, "Content-Encoding: gzip", 'ETag: "1"')
    reply = await validated(folder, coded, {"on_invalid": "repair"})
    assert (
        reply.body == b'<!DOCTYPE html><html><head><title>t</title></head><body><p a="">x</p></body></html>'
    )
    assert reply[b"etag"] == b'W/"1"'


async def test_reject_sends_an_error_page(folder):
    reply = await validated(folder, response(PAGE, HTML), {"on_invalid": "reject"})
    assert (reply.status, PAGE in reply.body) == (502, False)


@pytest.mark.parametrize("mode", ["report", "repair", "reject"])
async def test_valid_document_passes_unchanged(folder, mode):
    page = b"<!DOCTYPE html><title>t</title><p>x"
    reply = await validated(folder, response(page, HTML), {"on_invalid": mode})
    assert (reply.status, reply.body, reply[b"x-html-validation"]) == (200, page, b"errors=0")


async def test_document_that_is_checked_while_it_streams_has_no_field(folder):
    reply = await validated(folder, response(PAGE, HTML), {"wait": False})
    assert reply.body == PAGE
    assert b"x-html-validation" not in reply.raw.lower()


async def test_cached_document_is_checked_once(folder):
    page = response(PAGE, HTML, "Cache-Control: max-age=60")
    async with Member(answering(page)) as member:
        mapping = config(member.address, route={"cache": True, "plugins": ["html_validation"]})
        async with serving(folder, mapping) as proxy, proxy.client() as client:
            replies = [await client.ask(get()) for _ in range(3)]
            counters = proxy.worker.runtime.plugins.chains["all"].uses[0].declared.counters
            assert counters["checked"].value == 1
        assert len(member.requests) == 1
    assert {reply[b"x-html-validation"] for reply in replies} == {
        b'errors=2; first="1:38 duplicate-attribute"'
    }
    assert {reply.body for reply in replies} == {PAGE}
