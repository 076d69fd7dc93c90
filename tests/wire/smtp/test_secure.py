"""STARTTLS, TLS from the first byte, and authentication, towards clients and members."""

import asyncio
import base64
import contextlib
import ssl

import bcrypt
import pytest

from tests.kit.authority import Authority
from tests.kit.proxy import serving
from tests.kit.smtp import MailClient, MailMember, mail_client, mail_config, relaying
from tests.kit.waiting import eventually

PLAIN = base64.b64encode(b"\0ann\0secret").decode()
WRONG = base64.b64encode(b"\0ann\0wrong").decode()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("ca"))
    authority.pair = authority.issue("mail.test")
    return authority


@pytest.fixture
def secured(authority):
    return {"tls": {"certificates": [authority.pair]}}


@pytest.fixture
def users(tmp_path):
    file = tmp_path / "users"
    file.write_text(f"# staff\nann:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}\n")
    return {"file": str(file)}


def member_tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.pair["certificate"], authority.pair["key"])
    return context


async def test_starttls_secures_the_session_and_is_offered_once(tmp_path, authority, secured):
    async with MailMember() as member, relaying(tmp_path, member, listener=secured) as (_proxy, client):
        assert "STARTTLS" in (await client.hello())[1]
        assert (await client.start_tls(authority.context())).startswith("220")
        assert (await client.say("MAIL FROM:<a@b>")).startswith("503")  # EHLO is due again
        assert "STARTTLS" not in (await client.hello())[1]
        assert (await client.send("u@example.com")).startswith("250")
        assert b"with ESMTPS;" in member.messages[0][2]


async def test_commands_behind_starttls_are_refused(tmp_path, secured):
    async with MailMember() as member, relaying(tmp_path, member, listener=secured) as (proxy, client):
        await client.hello()
        client.writer.write(b"STARTTLS\r\nMAIL FROM:<evil@x>\r\n")
        assert (await client.reply())[0] == 501
        assert await client.closed() == b""
        assert "starttls_injection" in proxy.error_log()


async def test_failed_handshake_ends_the_session(tmp_path, secured):
    async with relaying(tmp_path, "127.0.0.1:9", listener=secured) as (proxy, client):
        await client.hello()
        assert (await client.say("STARTTLS")).startswith("220")
        client.writer.write(b"NOOP\r\n" * 10)
        await client.closed()
        await eventually(lambda: not proxy.connections)


async def test_starttls_ends_an_authentication(tmp_path, authority, secured, users):
    """Whoever authenticates in the clear and then passes the client's bytes on would get its mail as his."""
    smtp = {"auth": {**users, "without_tls": True, "required": True}}
    async with relaying(tmp_path, "127.0.0.1:9", smtp=smtp, listener=secured) as (_proxy, client):
        await client.hello()
        assert (await client.say(f"AUTH PLAIN {PLAIN}")).startswith("235")
        await client.start_tls(authority.context())
        await client.hello()
        assert (await client.say("MAIL FROM:<a@b>")).startswith("530")


@pytest.mark.parametrize("login", [b"ann\0secret", b"ann\0secret\0"])
async def test_name_cannot_bring_a_password_of_its_own(tmp_path, login):
    smtp = {"auth": {"pool": "app", "without_tls": True}}
    async with MailMember(extensions=("AUTH PLAIN",)) as member:
        async with relaying(tmp_path, member, smtp=smtp) as (_proxy, client):
            await client.hello()
            await client.say(f"AUTH LOGIN {base64.b64encode(login).decode()}")
            assert (await client.say(base64.b64encode(b"x").decode())).startswith("501 5.5.2")
        assert not member.commands


async def test_malformed_authentication_is_rejected(tmp_path, users):
    lines = [
        "",
        "PLAIN *",
        "PLAIN ====",
        "PLAIN !!!!",
        "PLAIN a b c",
        "PLAIN YQ==",
        "CRAM-MD5",
        "LOGIN \udcff",
    ]
    steps = [
        ("PLAIN", "*"),
        ("LOGIN", "*"),
        ("PLAIN", "!!"),
        ("PLAIN", "\udcff"),
        ("LOGIN", "YQ"),
        ("PLAIN", ""),
    ]
    smtp = {"auth": {**users, "without_tls": True}}
    async with relaying(tmp_path, "127.0.0.1:9", smtp=smtp) as (_proxy, client):
        await client.hello()
        for line in lines:
            assert (await client.say(f"AUTH {line}"))[:2] == "50", line
        for mechanism, line in steps:
            assert (await client.say(f"AUTH {mechanism}"))[:3] == "334"
            assert (await client.say(line))[:3] == "501", line
        assert (await client.say(f"AUTH PLAIN {PLAIN}"))[:3] == "235"


async def test_overlong_response_to_a_challenge_ends_the_session(tmp_path, users):
    smtp = {"auth": {**users, "without_tls": True}}
    async with relaying(tmp_path, "127.0.0.1:9", smtp=smtp) as (_proxy, client):
        await client.hello()
        await client.say("AUTH PLAIN")
        assert (await client.say("A" * 13_000)).startswith("500 5.5.6")
        assert await client.closed() == b""


async def test_required_tls_comes_before_mail(tmp_path, authority, secured):
    smtp = {"starttls": "required"}
    async with MailMember() as member, relaying(tmp_path, member, smtp=smtp, listener=secured) as (_, client):
        await client.hello()
        assert (await client.say("MAIL FROM:<a@b>")).startswith("530")
        await client.start_tls(authority.context())
        assert (await client.send("u@example.com")).startswith("250")


async def test_tls_from_the_first_byte(tmp_path, authority, secured):
    smtp = {"starttls": False, "routes": [{"match": {"sni": "mail.test"}, "pool": "app"}]}
    async with MailMember() as member, relaying_tls(tmp_path, authority, member, smtp, secured) as client:
        assert "STARTTLS" not in (await client.hello())[1]
        assert (await client.send("u@example.com")).startswith("250")


def relaying_tls(folder, authority, member, smtp, secured):
    @contextlib.asynccontextmanager
    async def whole():
        mapping = mail_config(member.address, smtp=smtp, listener=secured)
        tls = {"ssl": authority.context(), "server_hostname": "mail.test"}
        async with serving(folder, mapping) as proxy, mail_client(proxy.port, **tls) as client:
            yield client

    return whole()


async def test_starttls_towards_members_is_never_skipped(tmp_path, authority):
    pool = {"tls": {"starttls": True, "ca": authority.file, "sni": "mail.test"}}
    offers = ("STARTTLS",)
    async with MailMember(extensions=offers, tls=member_tls(authority)) as member:
        async with relaying(tmp_path / "a", member, pool=pool) as (_proxy, client):
            assert (await client.send("u@example.com")).startswith("250")
        assert [word.split(" ")[0] for word in member.commands[:4]] == ["EHLO", "STARTTLS", "EHLO", "MAIL"]
        member.extensions = ()
        async with relaying(tmp_path / "b", member, pool=pool) as (_proxy, client):
            assert (await client.envelope("u@example.com"))[1].startswith("451 4.7.4")


async def test_certificate_of_a_member_is_verified(tmp_path, authority):
    pool = {"tls": {"starttls": True, "ca": authority.file, "sni": "other.test"}}
    member = MailMember(extensions=("STARTTLS",), tls=member_tls(authority))
    async with member, relaying(tmp_path, member, pool=pool) as (proxy, client):
        assert (await client.envelope("u@example.com"))[1].startswith("451")
        assert "reason=tls_certificate" in proxy.error_log()


async def test_auth_is_offered_under_tls_only(tmp_path, authority, secured, users):
    async with MailMember() as member:
        async with relaying(tmp_path, member, smtp={"auth": users}, listener=secured) as (_proxy, client):
            assert not any(line.startswith("AUTH") for line in (await client.hello())[1])
            assert (await client.say(f"AUTH PLAIN {PLAIN}")).startswith("538")
            await client.start_tls(authority.context())
            assert "AUTH PLAIN LOGIN" in (await client.hello())[1]
            assert (await client.say(f"AUTH PLAIN {PLAIN}")).startswith("235")
            assert (await client.send("u@example.com")).startswith("250")
        assert b"with ESMTPSA;" in member.messages[0][2]


async def test_users_of_a_file(tmp_path, users):
    routes = [{"match": {"authenticated": True}, "pool": "app"}]
    smtp = {"auth": {**users, "without_tls": True}, "routes": routes}
    async with MailMember() as member, relaying(tmp_path, member, smtp=smtp) as (proxy, client):
        assert (await client.envelope("u@example.com"))[1].startswith("550 5.1.2")
        await client.say("RSET")
        assert (await client.say(f"AUTH PLAIN {WRONG}")).startswith("535 5.7.8")
        assert (await client.say("AUTH login")) == "334 " + base64.b64encode(b"Username:").decode()
        assert (await client.say(base64.b64encode(b"ann").decode())).startswith("334")
        assert (await client.say(base64.b64encode(b"secret").decode())).startswith("235")
        assert (await client.say(f"AUTH PLAIN {PLAIN}")).startswith("503")
        assert (await client.send("u@example.com")).startswith("250")
        assert "wrong" not in proxy.error_log()


async def test_changed_users_are_read_again(tmp_path, users):
    smtp = {"auth": {**users, "without_tls": True}}
    file = tmp_path / "users"
    async with relaying(tmp_path, "127.0.0.1:9", smtp=smtp) as (proxy, client):
        await client.hello()
        file.write_text("not users\n")
        look_twice(proxy, 2)
        await eventually(lambda: "smtp_users_not_reloaded" in proxy.error_log())
        assert (await client.say(f"AUTH PLAIN {WRONG}")).startswith("535")
        file.write_text(f"ann:{bcrypt.hashpw(b'wrong', bcrypt.gensalt(4)).decode()}\n")
        look_twice(proxy, 6)
        await eventually(lambda: "smtp_users_reloaded" in proxy.error_log())
        assert (await client.say(f"AUTH PLAIN {WRONG}")).startswith("235")


async def test_missing_file_of_users_keeps_the_ones_that_were_read(tmp_path, users):
    smtp = {"auth": {**users, "without_tls": True}}
    async with relaying(tmp_path, "127.0.0.1:9", smtp=smtp) as (proxy, client):
        await client.hello()
        (tmp_path / "users").unlink()
        look_twice(proxy, 2)
        await eventually(lambda: "smtp_users_not_reloaded" in proxy.error_log())
        assert (await client.say(f"AUTH PLAIN {PLAIN}")).startswith("235")


def look_twice(proxy, seconds):
    """Have the listener look at its files, `seconds` from now and once more."""
    proxy.pass_time(seconds)
    proxy.pass_time(seconds + 2)


async def test_required_authentication_comes_before_mail(tmp_path, users):
    smtp = {"auth": {**users, "without_tls": True, "required": True}}
    async with relaying(tmp_path, "127.0.0.1:9", smtp=smtp) as (_proxy, client):
        await client.hello()
        assert (await client.say("MAIL FROM:<a@b>")).startswith("530 5.7.0")


async def test_failed_authentications_end_the_session(tmp_path, users):
    smtp = {"auth": {**users, "without_tls": True}}
    async with relaying(tmp_path, "127.0.0.1:9", smtp=smtp) as (_proxy, client):
        await client.hello()
        for _ in range(2):
            assert (await client.say(f"AUTH PLAIN {WRONG}")).startswith("535")
        assert (await client.say(f"AUTH PLAIN {WRONG}")).startswith("421 4.7.0")


async def test_member_verifies_credentials_and_gets_the_mail_authenticated(tmp_path):
    smtp = {"auth": {"pool": "app", "without_tls": True}}
    wrong = {f"AUTH PLAIN {WRONG}": "535 5.7.8 No"}
    async with MailMember(wrong, extensions=("AUTH PLAIN",)) as member:
        async with relaying(tmp_path, member, smtp=smtp) as (_proxy, client):
            await client.hello()
            assert (await client.say(f"AUTH PLAIN {WRONG}")) == "535 5.7.8 No"
            assert (await client.say(f"AUTH PLAIN {PLAIN}")).startswith("235")
            assert (await client.say("MAIL FROM:<a@b>")).startswith("250")
            assert (await client.say("RCPT TO:<u@example.com>")).startswith("250")
            assert (await client.data()).startswith("250")
            assert member.connections == 2
            for writer in list(member.open):
                writer.transport.abort()
            assert (await client.say("MAIL FROM:<a@b>")).startswith("250")
            assert (await client.say("RCPT TO:<u@example.com>")).startswith("250")
            assert (await client.data()).startswith("250")
        assert member.connections == 3
        assert member.commands.count(f"AUTH PLAIN {PLAIN}") == 2


async def test_xclient_tells_a_member_of_the_client(tmp_path):
    extensions = ("XCLIENT NAME ADDR PORT PROTO HELO",)
    async with MailMember({"XCLIENT": "220 member.test"}, extensions=extensions) as member:
        async with relaying(tmp_path, member, smtp={"xclient": True}) as (_proxy, client):
            assert (await client.send("u@example.com")).startswith("250")
            port = client.writer.get_extra_info("sockname")[1]
        told = f"XCLIENT NAME=[UNAVAILABLE] ADDR=127.0.0.1 PORT={port} PROTO=ESMTP HELO=client.test"
        assert member.commands[:3] == ["EHLO adc.test", told, "EHLO client.test"]


async def test_proxy_protocol_tells_a_member_of_the_client(tmp_path):
    async with MailMember() as member:
        talk = member._talk

        async def behind_header(reader, writer):
            member.header = await reader.readline()
            await talk(reader, writer)

        member._talk = behind_header
        async with relaying(tmp_path, member, pool={"proxy_protocol": "v1"}) as (proxy, client):
            assert (await client.send("u@example.com")).startswith("250")
            port = client.writer.get_extra_info("sockname")[1]
            assert member.header == f"PROXY TCP4 127.0.0.1 127.0.0.1 {port} {proxy.port}\r\n".encode()


async def test_client_behind_a_proxy_is_known_by_its_header(tmp_path):
    listener = {"proxy_protocol": {"from": ["127.0.0.1"]}}
    extensions = ("XCLIENT ADDR PORT",)
    member = MailMember({"XCLIENT": "220 member.test"}, extensions=extensions)
    smtp = {"xclient": True}
    async with member, serving(tmp_path, mail_config(member.address, smtp=smtp, listener=listener)) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        client = MailClient(reader, writer)
        for part in (b"PROXY TCP4 192.0.2.7 192", b".0.2.1 4711 25\r\nEH", b"LO c\r\n"):
            writer.write(part)
            await asyncio.sleep(0)
        assert [(await client.reply())[0] for _ in range(2)] == [220, 250]
        await client.envelope("u@example.com")
        assert (await client.data()).startswith("250")
        client.close()
        assert "XCLIENT ADDR=192.0.2.7 PORT=4711" in member.commands
        assert b"from client.test ([192.0.2.7])" in member.messages[0][2]
