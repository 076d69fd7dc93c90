"""`html_fields` over real connections."""

from tests.kit.client import get, post
from tests.kit.member import Member
from tests.kit.proxy import config, serving

FORM = "Content-Type: application/x-www-form-urlencoded"
BAD = b"a=1&b=%3Cb%3Ex%3Cscript%3Ey%3C/script%3E"


async def exchanged(folder, data, options=None):
    """The reply to a client whose route has the plugin, and the requests that the member received."""
    async with Member() as member:
        mapping = config(member.address, route={"plugins": [{"html_fields": options or {}}]})
        async with serving(folder, mapping) as proxy, proxy.client() as client:
            reply = await client.ask(data)
        return reply, member.requests


async def test_member_gets_the_sanitised_form_with_its_length(tmp_path):
    reply, requests = await exchanged(tmp_path, post(BAD, FORM))
    expected = b"a=1&b=%3Cb%3Ex%3C%2Fb%3E"
    assert reply.status == 200
    assert (requests[0].body, requests[0][b"content-length"]) == (expected, b"%d" % len(expected))


async def test_member_gets_no_form_that_is_rejected(tmp_path):
    reply, requests = await exchanged(tmp_path, post(BAD, FORM), {"on_html": "reject"})
    assert (reply.status, requests) == (400, [])


async def test_member_gets_the_sanitised_query(tmp_path):
    reply, requests = await exchanged(tmp_path, get("/a?q=1&b=%3Cscript%3Ey%3C/script%3E"), {"query": True})
    assert (reply.status, requests[0].target) == (200, "/a?q=1&b=")


async def test_upload_passes_byte_for_byte(tmp_path):
    file = b"--b\r\nContent-Disposition: form-data; name=f; filename=x\r\n\r\n<script>\0\xff" + b"x" * 300_000
    body = file + b"\r\n--b--\r\n"
    _, requests = await exchanged(tmp_path, post(body, "Content-Type: multipart/form-data; boundary=b"))
    assert requests[0].body == body
