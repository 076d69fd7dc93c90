"""`html_rewrite` over real connections."""

import asyncio
import gzip
import re

from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving

HTML = "Content-Type: text/html; charset=utf-8"


async def rewritten(folder, script, options, data=None):
    """The response to a client whose route has the plugin."""
    async with Member(script) as member:
        mapping = config(member.address, route={"plugins": [{"html_rewrite": options}]})
        async with serving(folder, mapping) as proxy, proxy.client() as client:
            return await client.ask(data or get("/a/b", host="www.example.com"))


async def test_content_and_head_agree(tmp_path):
    page = b"<!DOCTYPE html><title>t</title><a href='x'>y</a>"
    options = {"links": {"absolute": True}, "banner": "<p>가</p>"}
    reply = await rewritten(tmp_path, answering(response(page, HTML, 'ETag: "1"')), options)
    expected = '<!DOCTYPE html><title>t</title><body><p>가</p><a href="http://www.example.com/a/x">y</a>'
    assert reply.body == expected.encode()
    assert reply[b"etag"] == b'W/"1"'


async def test_nonce_in_head_and_content_agree(tmp_path):
    page = b"<script>1</script>"
    reply = await rewritten(
        tmp_path,
        answering(response(page, HTML, "Content-Security-Policy: script-src 'self'")),
        {"csp_nonce": True},
    )
    nonce = re.fullmatch(rb"script-src 'self' 'nonce-([\w-]+)'", reply[b"content-security-policy"])[1]
    assert reply.body == b'<script nonce="%b">1</script>' % nonce


async def test_document_streams_while_the_member_sends(tmp_path):
    more = asyncio.Event()

    async def script(conversation):
        await conversation.request()
        await conversation.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        await conversation.send(b"9\r\n<p>one</p\r\n")
        await more.wait()
        await conversation.send(b"b\r\n><p>two</p>\r\n0\r\n\r\n")

    async with Member(script) as member:
        rules = [{"select": "p", "append": "!"}]
        mapping = config(member.address, route={"plugins": [{"html_rewrite": {"rules": rules}}]})
        async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
            await client.send(get())
            received = b""
            while b"<p>one" not in received:
                received += await client.some()
            more.set()
            while not received.endswith(b"0\r\n\r\n"):
                received += await client.some()
    content = b"".join(re.findall(rb"\r\n[0-9a-f]+\r\n([^\r]*)(?=\r\n)", received))
    assert content == b"<p>one!</p><p>two!</p>"


async def test_other_content_is_left_alone(tmp_path):
    script = answering(response(b"<a>", "Content-Type: text/plain", 'ETag: "1"'))
    reply = await rewritten(tmp_path, script, {"rules": [{"select": "a", "remove": True}]})
    assert (reply.body, reply[b"etag"]) == (b"<a>", b'"1"')


async def test_each_hit_of_the_cache_has_its_own_nonce_and_is_compressed(tmp_path):
    fields = (HTML, "Cache-Control: max-age=60", "Content-Security-Policy: script-src a")
    page = b"<script>1</script>" + b"<p>x</p>" * 500
    async with Member(answering(response(page, *fields))) as member:
        options = {"cache": True, "compression": True, "plugins": [{"html_rewrite": {"csp_nonce": True}}]}
        async with (
            serving(tmp_path, config(member.address, route=options)) as proxy,
            proxy.client() as client,
        ):
            replies = [await client.ask(get("/", "Accept-Encoding: gzip")) for _ in range(3)]
        assert len(member.requests) == 1
    nonces = [re.search(rb"'nonce-([\w-]+)'", reply[b"content-security-policy"])[1] for reply in replies]
    assert len(set(nonces)) == 3
    for nonce, reply in zip(nonces, replies, strict=True):
        assert gzip.decompress(reply.body) == page.replace(b"<script>", b'<script nonce="%b">' % nonce)
