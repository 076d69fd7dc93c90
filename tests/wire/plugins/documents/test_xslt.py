"""Stylesheets over sockets, in real processes."""

import pytest

from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.wire.plugins.documents.checked import asked, example
from tests.wire.service import ROOT

ORDER = b'<order><customer>x</customer><item sku="a" count="2"/></order>'
SHEET = '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">%s</xsl:stylesheet>'
LOOP = (
    '<xsl:template match="/"><xsl:for-each select="//*"><xsl:for-each select="//*"><xsl:for-each select="//*">'
    '<xsl:value-of select="count(//*)"/></xsl:for-each></xsl:for-each></xsl:for-each></xsl:template>'
)
GROWTH = (
    '<xsl:template match="/"><o><xsl:for-each select="//*"><xsl:copy-of select="/"/>'
    "</xsl:for-each></o></xsl:template>"
)


async def test_response_is_shown_as_html_with_the_right_head(tmp_path):
    xml = response(ORDER, "Content-Type: text/xml", 'ETag: "1"')
    async with Member(answering(xml)) as member, example(member, tmp_path, "xslt") as proxy:
        reply = await asked(proxy, get("/orders/1.xml", "Range: bytes=0-3"))
        whole = await asked(proxy, get("/orders/1.xml"))
        assert (whole.status, whole[b"content-type"]) == (200, b"text/html; charset=UTF-8")
        assert b"<li>2 x a</li>" in whole.body
        assert b"Your order" in whole.body
        assert int(whole[b"content-length"]) == len(whole.body)
        assert whole[b"etag"] == b'W/"1"'
        assert reply.body in (whole.body, whole.body[:4])
        assert b"range" not in member.requests[0]


@pytest.mark.parametrize("sheet", [LOOP, GROWTH])
async def test_stylesheet_without_an_end_costs_one_request(tmp_path, sheet):
    (tmp_path / "loop.xsl").write_text(SHEET % sheet)
    plugin = {"xslt": {"stylesheet": str(tmp_path / "loop.xsl"), "max_time": "300ms", "max_memory": "256MB"}}
    many = response(b"<o>" + b"<i>some text</i>" * 10_000 + b"</o>", "Content-Type: text/xml")
    few = response(b"<o/>", "Content-Type: text/xml")
    async with (
        Member(answering(many, few)) as member,
        serving(tmp_path, config(member.address, route={"plugins": [plugin]})) as proxy,
    ):
        assert (await asked(proxy, get("/"))).status == 500
        assert (await asked(proxy, get("/"))).status == 200


async def test_result_is_stored_in_the_cache(tmp_path):
    (tmp_path / "s.xsl").write_text((ROOT / "config" / "schemas" / "order.xsl").read_text())
    route = {"plugins": [{"xslt": {"stylesheet": str(tmp_path / "s.xsl")}}], "cache": True}
    xml = response(ORDER, "Content-Type: text/xml", "Cache-Control: max-age=60")
    async with (
        Member(answering(xml)) as member,
        serving(tmp_path, config(member.address, route=route, caches={"site": {"memory": "8MB"}})) as proxy,
    ):
        replies = [await asked(proxy, get("/a.xml")) for _ in range(2)]
        assert replies[0].body == replies[1].body
        assert b"<li>2 x a</li>" in replies[1].body
        assert replies[1][b"content-type"] == b"text/html; charset=UTF-8"
        assert len(member.requests) == 1
        plugin = proxy.worker.runtime.plugins.chains["all"].uses[0]
        assert plugin.declared.counters["transformed"].value == 1
