"""A real Postfix as the member, and swaks as the client."""

import asyncio
import re
import shutil

import bcrypt
import pytest

from tests.kit.authority import Authority
from tests.kit.postfix import Postfix
from tests.kit.proxy import serving
from tests.kit.smtp import mail_config, relaying
from tests.kit.waiting import PATIENCE, eventually


@pytest.fixture(scope="module")
def postfix():
    with Postfix() as postfix:
        yield postfix


async def swaks(port, *options):
    if not shutil.which("swaks"):
        pytest.skip("swaks is not installed (make peers)")
    words = [
        "swaks",
        "--server",
        f"127.0.0.1:{port}",
        "--ehlo",
        "client.test",
        "--from",
        "a@client.test",
        *options,
    ]
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    return process.returncode, output.decode()


async def test_postfix_gets_the_message_and_the_client_behind_it(tmp_path, postfix):
    async with relaying(tmp_path, postfix, smtp={"xclient": True}) as (_proxy, client):
        told = await client.send("u@example.com", "v@example.com")
        assert told.startswith("250 2.0.0 Ok: queued as")
        queue_id = told.split()[-1]
        await eventually(lambda: len(postfix.mail("u")) == len(postfix.mail("v")) == 1)
        (message,) = postfix.mail("u")
        assert b"Received: from client.test ([127.0.0.1])\n\tby adc.test with ESMTP" in message
        assert b"Received: from client.test (unknown [127.0.0.1])" in message  # by XCLIENT
        assert message.endswith(b"body\n")
        assert f"{queue_id}: client=unknown[127.0.0.1]" in postfix.log()


async def test_refusals_of_postfix_are_the_clients(tmp_path, postfix):
    async with relaying(tmp_path, postfix) as (_proxy, client):
        told = await client.envelope("nobody@example.com", "u@elsewhere.test", "v@example.com")
        assert told[1].startswith("550 5.1.1 <nobody@example.com>")
        assert told[2].startswith("554 5.7.1 <u@elsewhere.test>: Relay access denied")
        assert (await client.data()).startswith("250")


async def test_message_over_the_size_of_postfix_is_refused_by_it(tmp_path, postfix):
    async with relaying(tmp_path, postfix) as (_proxy, client):
        await client.hello()
        assert (await client.say("MAIL FROM:<a@b.test> SIZE=2000000")).startswith("250")
        assert (await client.say("RCPT TO:<u@example.com>")).startswith("552 5.3.4")
        assert (await client.send("u@example.com", content=(b"x" * 998 + b"\r\n") * 1200)).startswith(
            "552 5.3.4"
        )


async def test_client_of_starttls_reaches_postfix(tmp_path, postfix):
    authority = Authority(tmp_path / "ca")
    listener = {"tls": {"certificates": [authority.issue("mail.test")]}}
    async with relaying(tmp_path, postfix, listener=listener) as (_proxy, client):
        await client.hello()
        await client.start_tls(authority.context())
        assert (await client.send("v@example.com")).startswith("250")


async def test_swaks_authenticates_under_starttls(tmp_path, postfix):
    authority = Authority(tmp_path / "ca")
    listener = {"tls": {"certificates": [authority.issue("mail.test")]}}
    users = tmp_path / "users"
    users.write_text(f"ann:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}\n")
    smtp = {"starttls": "required", "auth": {"file": str(users), "required": True}}
    under_tls = ["--tls", "--tls-verify", "--tls-ca-path", authority.file, "--tls-sni", "mail.test"]
    login = ["--auth", "LOGIN", "--auth-user", "ann", "--auth-password", "secret"]
    async with relaying(tmp_path, postfix, smtp=smtp, listener=listener) as (proxy, _client):
        for options, told in (([], "530 "), (under_tls, "530 5.7.0"), ([*under_tls, *login], "250 2.0.0")):
            code, output = await swaks(proxy.port, "--to", "u@example.com", "--body", "by night", *options)
            assert (code == 0) == told.startswith("250"), output
            assert re.search(f"^<[~*-]*\\*?\\s+{told}", output, re.M), output
        await eventually(lambda: any(b"by night" in each for each in postfix.mail("u")))
        assert "secret" not in proxy.error_log()


async def test_swaks_under_tls_from_the_first_byte(tmp_path, postfix):
    authority = Authority(tmp_path / "ca")
    listener = {"tls": {"certificates": [authority.issue("mail.test")]}}
    async with serving(
        tmp_path, mail_config(postfix.address, smtp={"starttls": False}, listener=listener)
    ) as proxy:
        code, output = await swaks(
            proxy.port, "--to", "u@example.com", "--tls-on-connect", "--body", "sealed"
        )
        assert code == 0, output
        await eventually(lambda: any(b"sealed" in each for each in postfix.mail("u")))


async def test_swaks_pipelines(tmp_path, postfix):
    async with relaying(tmp_path, postfix) as (proxy, _client):
        recipients = "u@example.com,nobody@example.com,v@example.com"
        code, output = await swaks(proxy.port, "--to", recipients, "--pipeline", "--body", "in one go")
        assert code == 0, output
        await eventually(
            lambda: all(any(b"in one go" in each for each in postfix.mail(user)) for user in "uv")
        )
