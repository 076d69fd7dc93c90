"""The HTTP client of plugins over real sockets."""

import asyncio

import pytest

from adc.plugin.aiohttp_client import AiohttpClient
from adc.plugin.http_client import HttpFailed, HttpLimits
from tests.kit.authority import Authority
from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving


class Clients:
    """Makes clients and closes them."""

    def __init__(self):
        self.made = []

    def __call__(self, **limits):
        self.made.append(AiohttpClient(HttpLimits(**limits)))
        return self.made[-1]


@pytest.fixture
async def client():
    clients = Clients()
    yield clients
    for each in clients.made:
        await each.close()


def url(member, target="/", scheme="http"):
    return f"{scheme}://127.0.0.1:{member.port}{target}"


async def test_reply_has_status_fields_and_content(client):
    async with Member(
        answering(response(b"hello", "X-A: 1", "Set-Cookie: a=1", "Set-Cookie: b=2"))
    ) as member:
        reply = await client().request("POST", url(member, "/p?q=1"), [(b"X-Name", b"v")], b"content")
        (request,) = member.requests
    assert (reply.status, reply.content) == (200, b"hello")
    assert reply.headers.get_all(b"set-cookie") == [b"a=1", b"b=2"]
    assert request.raw.startswith(b"POST /p?q=1 HTTP/1.1\r\n")
    assert request.raw.endswith(b"\r\n\r\ncontent")


async def test_client_adds_no_field_but_those_that_http_needs(client):
    async with Member() as member:
        await client().request("GET", url(member), [(b"X-Name", b"v")])
        names = {
            line.partition(b":")[0].lower() for line in member.requests[0].raw.split(b"\r\n")[1:] if line
        }
    assert names == {b"host", b"x-name", b"accept-encoding"}


async def test_connection_is_reused(client):
    async with Member() as member:
        one = client()
        for _ in range(3):
            await one.request("GET", url(member))
        assert (len(member.connections), len(member.requests)) == (1, 3)


async def test_redirect_is_returned_and_not_followed(client):
    async with Member(answering(response(b"", "Location: /other", status=302))) as member:
        reply = await client().request("GET", url(member))
        assert (reply.status, len(member.requests)) == (302, 1)


async def test_redirects_are_followed_up_to_the_number_given(client):
    async with Member(answering(response(b"", "Location: /other", status=302))) as member:
        with pytest.raises(HttpFailed, match="redirects"):
            await client(redirects=2).request("GET", url(member))


async def test_content_over_the_limit_fails(client):
    async with Member(answering(response(b"x" * 1001))) as member:
        with pytest.raises(HttpFailed, match="exceeds 1000 bytes"):
            await client(most=1000).request("GET", url(member))


async def test_server_that_does_not_respond_fails_as_timed_out(client):
    async def silent(conversation):
        await conversation.request()
        await asyncio.Event().wait()

    async with Member(silent) as member:
        with pytest.raises(HttpFailed, match=r"0\.05 s") as failed:
            await client(timeout=0.05).request("GET", url(member))
    assert failed.value.timed_out


async def test_refused_connection_fails_without_the_path_of_the_url(client):
    async with Member() as member:
        address = url(member, "/secret?token=x")
    with pytest.raises(HttpFailed, match=r"127\.0\.0\.1") as failed:
        await client().request("GET", address)
    assert "secret" not in str(failed.value)


async def test_proxy_of_the_environment_is_not_used(client, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with Member() as member:
        assert (await client().request("GET", url(member))).status == 200


async def test_certificate_is_verified_against_the_ca_file(client, tmp_path):
    authority = Authority(tmp_path)
    tls = server_context(authority.issue("127.0.0.1"))
    async with Member(tls=tls) as member:
        address = url(member, scheme="https")
        with pytest.raises(HttpFailed):
            await client().request("GET", address)
        assert (await client(ca_file=tmp_path / "ca.pem").request("GET", address)).status == 200
        assert (await client(verify=False).request("GET", address)).status == 200


def server_context(pair):
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair["certificate"], pair["key"])
    return context


async def test_missing_ca_file_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no file"):
        AiohttpClient(HttpLimits(ca_file=tmp_path / "none.pem"))


ASKING = """
from adc.plugin import NoOptions, Options, Plugin, Response

class AskingOptions(Options):
    url: str

class Asking(Plugin[AskingOptions]):
    async def start(self, host):
        self.client = host.http(timeout=5.0)
        self.keys = await host.keys("test")
    async def request_head(self, context):
        reply = await self.client.request("GET", self.options.url)
        return Response(reply.status, {"X-Key": self.keys[0].hex()}, reply.content)
"""


async def test_plugin_asks_another_server_and_has_the_key_of_the_node(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "asking.py").write_text(ASKING)
    async with Member(answering(response(b"told"))) as member:
        mapping = config(
            member.address,
            plugin_paths=[str(tmp_path / "plugins")],
            route={"plugins": [{"asking": {"url": url(member)}}]},
            state={"path": str(tmp_path / "state")},
        )
        keys = set()
        for _ in range(2):
            async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
                reply = await client.ask(get())
                assert reply.body == b"told"
                keys.add(reply[b"x-key"])
        assert len(keys) == 1
