"""A site in EUC-KR behind adc, for a client that speaks UTF-8."""

import asyncio
import contextlib
import json
from urllib.parse import quote, quote_plus

import pytest

from tests.kit.client import chunks_of, get, post
from tests.kit.korean_site import POSTS, SCRIPT, STYLE, board
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving

CHARSET = {"charset": {"requests": "euc-kr"}}


@contextlib.asynccontextmanager
async def behind(folder, address, plugin=CHARSET, **route):
    async with (
        serving(folder, config(address, route={"plugins": [plugin], **route})) as proxy,
        proxy.client() as client,
    ):
        yield client


@contextlib.asynccontextmanager
async def visiting(folder, **options):
    """The site, and a client of the proxy before it."""
    plugin = {"charset": {"requests": "euc-kr", **options}}
    with board() as site:
        async with behind(folder, f"127.0.0.1:{site.server_port}", plugin) as client:
            yield site, client


async def test_every_kind_of_content_is_utf_8(tmp_path):
    async with visiting(tmp_path) as (_, client):
        page = await client.ask(get("/board/list.jsp"))
        style = await client.ask(get("/board/style.css"))
        script = await client.ask(get("/board/script.js"))
        feed = await client.ask(get("/board/rss.jsp"))
        listed = await client.ask(get("/board/list.json"))
    text = page.body.decode()
    assert all(title in text for title, _ in POSTS)
    assert 'content="text/html; charset=utf-8"' in text
    assert page[b"content-type"] == b"text/html; charset=utf-8"
    assert style.body.decode() == STYLE.replace("euc-kr", "utf-8")
    assert (script.body.decode(), script[b"content-type"]) == (
        SCRIPT,
        b"application/javascript; charset=utf-8",
    )
    assert feed.body.decode().startswith('<?xml version="1.0" encoding="utf-8"?>')
    assert json.loads(listed.body) == [list(each) for each in POSTS]


async def test_form_makes_the_round_trip(tmp_path):
    fields = {"title": "새 글 – 똠", "writer": "박영수", "text": "첫 줄\r\n둘째 줄", "_charset_": "UTF-8"}
    content = "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items()).encode()
    async with visiting(tmp_path) as (site, client):
        moved = await client.ask(
            post(content, "Content-Type: application/x-www-form-urlencoded", target="/board/save.jsp")
        )
        target = moved[b"location"].decode()
        view = await client.ask(get(target))
        found = await client.ask(get(f"/board/search.jsp?q={quote('새 글')}"))
    received = {**fields, "title": "새 글 &#8211; 똠", "_charset_": "euc-kr"}
    assert (moved.status, site.forms) == (302, [received])
    assert "<pre id=text>첫 줄\r\n둘째 줄</pre>" in view.body.decode()
    assert "<p id=query>새 글</p>" in found.body.decode()


async def test_upload_makes_the_round_trip(tmp_path):
    content = (
        b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n%b\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n%b\r\n--b--\r\n'
    ) % ("설명".encode(), "파일".encode())
    async with visiting(tmp_path) as (site, client):
        reply = await client.ask(
            post(content, "Content-Type: multipart/form-data; boundary=b", target="/board/received.jsp")
        )
    assert "<p id=note>설명</p>" in reply.body.decode()
    assert site.uploads[0][0] == ["설명".encode("cp949"), "파일".encode()]


async def test_path_reaches_the_application_in_its_charset(tmp_path):
    async with visiting(tmp_path, paths=True) as (_, client):
        reply = await client.ask(get(f"/board/files/{quote('보고서')}.hwp"))
    assert "<p id=name>보고서.hwp</p>" in reply.body.decode()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
async def test_chunks_of_a_member_may_cut_characters(tmp_path, size):
    content = ("<p>똠방각하 펲시콜라 abc " * 5).encode("cp949")
    chunks = [content[at : at + size] for at in range(0, len(content), size)]
    sent = response(
        b"", "Content-Type: text/html; charset=euc-kr", "Transfer-Encoding: chunked", length=False
    )
    async with (
        Member(answering(lambda request: sent + chunks_of(*chunks))) as member,
        behind(tmp_path, member.address) as client,
    ):
        reply = await client.ask(get())
    assert reply.body.decode() == content.decode("cp949")


async def test_head_agrees_with_the_content(tmp_path):
    fields = (
        "Content-Type: text/html; charset=euc-kr",
        'ETag: "1"',
        "Vary: Accept-Charset",
        "Accept-Ranges: bytes",
    )
    async with (
        Member(answering(lambda request: response("가".encode("cp949"), *fields))) as member,
        behind(tmp_path, member.address) as client,
    ):
        reply = await client.ask(get("/", "Accept-Charset: euc-kr", "Range: bytes=0-0"))
    assert (reply.status, reply.body, reply[b"etag"]) == (200, "가".encode(), b'W/"1"')
    assert (reply.all(b"vary"), reply.all(b"accept-ranges")) == ([], [])
    assert member.requests[0].all(b"accept-charset") == []


async def test_converted_page_is_what_the_cache_stores(tmp_path):
    fields = ("Content-Type: text/html; charset=euc-kr", "Cache-Control: max-age=60")
    async with (
        Member(answering(lambda request: response("가나다".encode("cp949"), *fields))) as member,
        behind(tmp_path, member.address, cache=True) as client,
    ):
        first = await client.ask(get())
        second = await client.ask(get())
        part = await client.ask(get("/", "Range: bytes=3-5"))
    assert (first.body, second.body) == ("가나다".encode(),) * 2
    assert second[b"content-type"] == b"text/html; charset=utf-8"
    assert (part.status, part.body, len(member.requests)) == (206, "나".encode(), 1)


async def test_content_out_of_its_charset_may_be_an_error(tmp_path):
    sent = response(b"\xb0\xa1\xff", "Content-Type: text/html; charset=euc-kr")
    async with (
        Member(answering(lambda request: sent)) as member,
        behind(tmp_path, member.address, {"charset": {"undecodable": "fail"}}) as client,
    ):
        reply = await asyncio.wait_for(client.ask(get()), 5)
    assert reply.status == 502
