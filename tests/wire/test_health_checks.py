"""Health checks against real members: what passes, what fails and why, how long a check may take."""

import asyncio
import ssl

import pytest
import trustme

from adc.config.model.address import Address
from adc.config.model.health import ActiveHealth
from adc.config.model.tls import MemberTls
from adc.control.checks import build_check
from tests.kit.smtp import MailMember


class Member:
    """A server that sends `answer` to whoever connects, and keeps what it was asked."""

    def __init__(self, answer=b"", *, hang=False, context=None):
        self.answer = answer
        self.asked = b""
        self.sent = 0
        self._hang = hang
        self._context = context
        self._release = asyncio.Event()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        host, port = self._server.sockets[0].getsockname()
        self.address = Address(f"{host}:{port}", host, port)
        return self

    async def __aexit__(self, *error):
        self._release.set()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        try:
            if self.answer:
                self.asked = await reader.readuntil(b"\r\n\r\n")
                writer.write(self.answer)
            if self._hang:
                await self._release.wait()
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort() if self._hang else writer.close()


def answer(status=200, body=b"", fields=b""):
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), fields, body)


def health(**keys):
    return ActiveHealth.model_validate({"timeout": "2s", **keys})


async def result(member, health, tls=None, proxy_protocol=None):
    return await build_check(member.address, health, tls, proxy_protocol)()


async def test_the_request_is_the_one_configured():
    async with Member(answer()) as member:
        asked = health(path="/alive?deep=1", method="HEAD", host="app.example", headers={"x-check": "yes"})
        assert await result(member, asked) is None
    head = member.asked.decode().lower()
    assert head.startswith("head /alive?deep=1 http/1.1\r\n")
    assert "host: app.example\r\n" in head
    assert "x-check: yes\r\n" in head


@pytest.mark.parametrize(
    ("expect", "reply", "failure"),
    [
        ("200-299", answer(204), None),
        ("200-299", answer(500), "status 500, expected 200-299"),
        ("200-299", answer(302, fields=b"Location: /elsewhere\r\n"), "status 302, expected 200-299"),
        ({"status": [200, 404]}, answer(404), None),
        ({"body": "ready"}, answer(body=b"all ready"), None),
        ({"body": "ready"}, answer(body=b"starting"), "body does not contain the expected text"),
        ({"body_regex": "^v[0-9]"}, answer(body=b"v2"), None),
        ({"headers": {"X-Role": "primary"}}, answer(fields=b"x-role: primary\r\n"), None),
        (
            {"headers": {"X-Role": "primary"}},
            answer(fields=b"x-role: replica\r\n"),
            "header x-role is not as expected",
        ),
    ],
)
async def test_the_answer_is_compared_with_what_is_expected(expect, reply, failure):
    async with Member(reply) as member:
        assert await result(member, health(path="/", expect=expect)) == failure


async def test_a_chunked_body_is_looked_at_as_a_whole():
    reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2\r\ndy\r\n0\r\n\r\n"
    async with Member(reply) as member:
        assert await result(member, health(path="/", expect={"body": "ready"})) is None


async def test_a_member_that_does_not_answer_fails_after_the_time_limit():
    async with Member(hang=True) as member:
        assert await result(member, health(path="/", timeout="50ms")) == "no answer within 0.05 s"


async def test_a_body_without_an_end_is_not_read_to_its_end():
    async with Member(answer(body=b"x" * 200_000)[:-1], hang=True) as member:
        assert await result(member, health(path="/", expect={"body": "x"})) is None


async def test_garbage_is_a_failure_and_no_exception():
    async with Member(b"SSH-2.0-OpenSSH\r\n\r\n") as member:
        assert "Expected HTTP/" in await result(member, health(path="/"))


async def test_a_refused_connection_is_a_failure():
    async with Member() as member:
        pass
    for check in (health(path="/"), health(tcp=True)):
        assert "refused" in (await result(member, check)).lower()


async def test_a_tcp_check_only_connects():
    async with Member(hang=True) as member:
        assert await result(member, health(tcp=True)) is None


async def test_a_tls_check_completes_the_handshake():
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with Member(context=context, hang=True) as member:
        assert await result(member, health(tls=True)) is None


async def test_a_tls_check_of_a_plain_server_fails():
    async with Member(b"HTTP/1.1 400 Bad\r\n\r\n") as member:
        assert await result(member, health(tls=True, timeout="300ms")) is not None


async def test_a_certificate_of_a_stranger_fails_where_the_pool_verifies(tmp_path):
    authority, stranger = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusted, other = tmp_path / "trusted.pem", tmp_path / "other.pem"
    authority.cert_pem.write_to_path(str(trusted))
    stranger.cert_pem.write_to_path(str(other))
    async with Member(answer(), context=context) as member:
        assert await result(member, health(path="/"), MemberTls(ca=str(trusted))) is None
        failure = await result(member, health(path="/"), MemberTls(ca=str(other)))
        assert failure == "TLS: CERTIFICATE_VERIFY_FAILED"


@pytest.mark.parametrize(
    ("version", "header"),
    [("v1", b"PROXY UNKNOWN\r\n"), ("v2", b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0")],
)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_a_member_that_wants_the_proxy_protocol_is_checked_with_a_header(version, header, secure):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    came = []

    async def behind_header(reader, writer):
        came.append(await reader.readexactly(len(header)))
        if secure:
            await writer.start_tls(context)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer())
        writer.close()

    server = await asyncio.start_server(behind_header, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        address = Address(f"{host}:{port}", host, port)
        tls = MemberTls(verify=False) if secure else None
        assert await build_check(address, health(path="/"), tls, version)() is None
    assert came == [header]


async def test_a_port_of_its_own_is_checked_without_a_header():
    async with Member(answer()) as member:
        asked = health(path="/", port=member.address.port)
        elsewhere = Address("127.0.0.1:1", "127.0.0.1", 1)
        assert await build_check(elsewhere, asked, None, "v1")() is None
    assert member.asked.startswith(b"GET / HTTP/1.1\r\n")


async def test_a_member_that_hangs_up_is_a_failure():
    async with Member() as member:
        failure = await result(member, health(path="/"))
    assert failure is not None
    assert failure.startswith("the member")


async def test_mail_server_passes_by_its_reply_to_ehlo():
    async with MailMember() as member:
        assert await mail_check(member)() is None
        member.replies["EHLO"] = "550 5.7.1 Not you"
        member.replies["HELO"] = "421 4.3.2 Closing"
        assert await mail_check(member)() == "EHLO: 421 4.3.2 Closing"
        member.replies = {"banner": "554 No mail here"}
        assert await mail_check(member)() == "greeting: 554 No mail here"
        member.replies = {"banner": None}
        assert await mail_check(member)() == "Unexpected EOF received"


async def test_mail_server_without_starttls_fails_a_pool_that_needs_it(tmp_path):
    async with MailMember() as member:
        assert await mail_check(member, MemberTls(starttls=True, verify=False))() == "no STARTTLS"


def mail_check(member, tls=None):
    address = Address(member.address, "127.0.0.1", member.port)
    return build_check(address, ActiveHealth(smtp=True, host="adc.test", timeout="2s"), tls)
