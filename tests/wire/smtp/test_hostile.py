"""Input that two servers could read in different ways is refused, and nothing is unbounded."""

import asyncio

import pytest

from tests.kit.proxy import serving
from tests.kit.smtp import MESSAGE, MailMember, mail_client, mail_config, relaying
from tests.kit.waiting import eventually

SMUGGLED = b"MAIL FROM:<evil@x>\r\nRCPT TO:<victim@y>\r\nDATA\r\nsmuggled\r\n.\r\n"


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n\n.\r\n", b"\r\r\n.\r\n"]
)
@pytest.mark.parametrize("whole", [True, False])
async def test_smuggled_end_of_content_is_refused(tmp_path, end, whole):
    async with MailMember() as member, relaying(tmp_path, member) as (proxy, client):
        await client.envelope("u@example.com")
        await client.say("DATA")
        payload = b"Subject: x\r\n\r\nbody" + end + SMUGGLED
        for part in [payload] if whole else [payload[at : at + 1] for at in range(len(payload))]:
            client.writer.write(part)
            if not whole:
                await asyncio.sleep(0)
        status, lines = await client.reply()
        assert (status, lines) == (521, ["5.5.2 Bare CR or LF in the message"])
        assert await client.closed() == b""
        assert not member.messages
        client.close()  # else what it may still send is read for some seconds
        await eventually(lambda: not proxy.connections)
        assert "reason=bare_newline" in proxy.error_log()


@pytest.mark.parametrize(
    "line", [b"NOOP\n", b"NOOP\r\r\n", b"NO\rOP\r\n", b"MAIL FROM:<a@b>\nRCPT TO:<c@d>\r\n"]
)
async def test_bare_newline_in_a_command_ends_the_session(tmp_path, line):
    async with relaying(tmp_path, "127.0.0.1:9") as (_proxy, client):
        await client.hello()
        client.writer.write(line)
        assert (await client.reply())[0] == 521
        assert await client.closed() == b""


async def test_request_of_a_browser_ends_the_session(tmp_path):
    async with relaying(tmp_path, "127.0.0.1:9") as (_proxy, client):
        client.writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n\r\nHELO x\r\nMAIL FROM:<a@b>\r\n")
        assert (await client.reply())[0] == 521
        assert await client.closed() == b""


async def test_content_in_chunks_is_not_read_as_commands(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (_proxy, client):
        await client.envelope("u@example.com")
        client.writer.write(b"BDAT 70 LAST\r\n" + SMUGGLED)
        assert await client.reply() == (502, ["5.5.1 CHUNKING is not offered"])
        assert await client.closed() == b""
        assert not member.messages


async def test_nul_is_refused(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (_proxy, client):
        assert (await client.send("u@example.com", content=b"a\0b\r\n")).startswith("554 5.6.0")
        assert (await client.send("u@example.com")).startswith("250")
        assert len(member.messages) == 1


async def test_dots_are_passed_on_doubled(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (_proxy, client):
        await client.send("u@example.com", content=b"a\r\n..\r\n.x\r\n")
        assert member.messages[0][2].endswith(b"a\r\n..\r\n.x\r\n")


async def test_message_over_the_size_is_refused_and_the_session_goes_on(tmp_path):
    smtp = {"limits": {"size": "2KB"}}
    async with MailMember() as member, relaying(tmp_path, member, smtp=smtp) as (_proxy, client):
        assert (await client.say("EHLO c")).startswith("250")
        await client.envelope("u@example.com")
        assert (await client.data(b"x" * 500 + b"\r\n")).startswith("250")
        assert (await client.send("u@example.com", content=(b"x" * 500 + b"\r\n") * 7)).startswith(
            "552 5.3.4"
        )
        await client.hello()
        assert (await client.say("MAIL FROM:<a@b> SIZE=3000")).startswith("552 5.3.4")
        assert (await client.send("u@example.com")).startswith("250")
        assert len(member.messages) == 2


async def test_endless_message_is_cut(tmp_path):
    smtp = {"limits": {"size": "2KB"}}
    async with MailMember() as member, relaying(tmp_path, member, smtp=smtp) as (_proxy, client):
        await client.envelope("u@example.com")
        await client.say("DATA")
        for _ in range(20):
            client.writer.write(b"x" * 500 + b"\r\n")
            await asyncio.sleep(0)
        assert (await client.reply())[0] == 552
        assert await client.closed() == b""


async def test_overlong_line_is_refused(tmp_path):
    smtp = {"limits": {"line": "998B"}}
    async with MailMember() as member, relaying(tmp_path, member, smtp=smtp) as (_proxy, client):
        assert (await client.send("u@example.com", content=b"x" * 998 + b"\r\n")).startswith("250")
        assert (await client.send("u@example.com", content=b"x" * 999 + b"\r\n")).startswith("554 5.6.0")


async def test_message_in_a_loop_is_refused(tmp_path):
    smtp = {"limits": {"hops": 2}}
    async with MailMember() as member, relaying(tmp_path, member, smtp=smtp) as (_proxy, client):
        assert (await client.send("u@x", content=b"Received: a\r\nreceived: b\r\n\r\nReceived: c\r\n"))[
            :3
        ] == "250"
        told = await client.send("u@x", content=b"Received: a\r\nReceived: b\r\nRECEIVED: c\r\n\r\n")
        assert told.startswith("554 5.4.6")


async def test_overlong_command_is_refused(tmp_path):
    async with relaying(tmp_path, "127.0.0.1:9") as (_proxy, client):
        assert (await client.say("NOOP " + "x" * 3000)).startswith("500 5.5.2")
        assert (await client.say("NOOP " + "x" * 300_000)).startswith("500 5.5.2")
        assert (await client.say("NOOP")).startswith("250")


async def test_too_many_errors_end_the_session(tmp_path):
    smtp = {"limits": {"errors": 3}}
    async with (
        serving(tmp_path, mail_config("127.0.0.1:9", smtp=smtp)) as proxy,
        mail_client(proxy.port) as client,
    ):
        for _ in range(3):
            assert (await client.say("RCPT TO:<a@b>")).startswith("503")
        assert (await client.say("RCPT TO:<a@b>")).startswith("503")
        assert (await client.reply())[0] == 421
        assert await client.closed() == b""


async def test_unknown_commands_are_errors(tmp_path):
    smtp = {"limits": {"errors": 6}}
    async with relaying(tmp_path, "127.0.0.1:9", smtp=smtp) as (proxy, client):
        for command in [
            "XCLIENT ADDR=192.0.2.1",
            "XFORWARD NAME=x",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2",
        ]:
            assert (await client.say(command)).startswith("500 5.5.2")
        for command in ["", " NOOP", "\x1b[31m"]:
            assert (await client.say(command)).startswith("500 5.5.2")
        await client.say("TURN")
        assert (await client.reply()) == (421, ["4.7.0 Too many errors"])
        assert "reason=errors" in proxy.error_log()


async def test_too_many_rejected_recipients_end_the_session(tmp_path):
    smtp = {"limits": {"recipients": 10}}
    member = MailMember({"RCPT": "451 4.7.1 Greylisted"})
    async with member, relaying(tmp_path, member, smtp=smtp) as (_proxy, client):
        told = await client.envelope(*[f"u{number}@example.com" for number in range(10)])
        assert {each[:3] for each in told[1:]} == {"451"}
        assert (await client.say("RCPT TO:<u@example.com>")).startswith("421 4.7.0")
        assert await client.closed() == b""


async def test_bytes_behind_quit_do_not_destroy_the_replies(tmp_path):
    """A socket that is closed with unread bytes is reset, and a reset may overtake the reply to a message."""
    async with MailMember() as member, relaying(tmp_path, member) as (_proxy, client):
        await client.envelope("u@example.com")
        await client.say("DATA")
        client.writer.write(MESSAGE + b".\r\nQUIT\r\n" + b"QUIT\r\n" * 400_000)
        assert (await client.reply())[0] == 250
        assert (await client.reply())[0] == 221
        assert await client.closed() == b""


async def test_too_many_commands_without_mail_end_the_session(tmp_path):
    smtp = {"limits": {"idle_commands": 5}}
    async with (
        serving(tmp_path, mail_config("127.0.0.1:9", smtp=smtp)) as proxy,
        mail_client(proxy.port) as client,
    ):
        for _ in range(5):
            assert (await client.say("NOOP")).startswith("250")
        assert (await client.say("NOOP")).startswith("421 4.7.0")


async def test_commands_in_a_message_are_counted_too(tmp_path):
    smtp = {"limits": {"idle_commands": 5}}
    async with MailMember() as member, relaying(tmp_path, member, smtp=smtp) as (_proxy, client):
        await client.hello()
        await client.say("MAIL FROM:<a@b>")
        for number in range(6):
            assert (await client.say(f"RCPT TO:<u{number}@example.com>")).startswith("250")
        for _ in range(5):
            assert (await client.say("NOOP")).startswith("250")
        assert (await client.say("NOOP")).startswith("421 4.7.0")


async def test_too_many_recipients_are_deferred(tmp_path):
    smtp = {"limits": {"recipients": 2}}
    async with MailMember() as member, relaying(tmp_path, member, smtp=smtp) as (_proxy, client):
        told = await client.envelope("a@x", "b@x", "c@x")
        assert [each[:3] for each in told] == ["250", "250", "250", "452"]
        assert (await client.data()).startswith("250")


@pytest.mark.parametrize(
    "command",
    [
        "MAIL FROM:<a@b> BODY=BINARYMIME", "MAIL FROM:<a@b> SIZE=x", "MAIL FROM:<a@b> WHAT", "MAIL FROM:<a@b",
        "MAIL FROM:<a b@c>", "MAIL TO:<a@b>", "MAIL", "MAIL FROM:<a@b>>", "MAIL FROM:<é@b>", "MAIL FROM:<a@b> SMTPUTF8",
    ],
)  # fmt: skip
async def test_malformed_sender_is_refused(tmp_path, command):
    async with relaying(tmp_path, "127.0.0.1:9") as (_proxy, client):
        await client.hello()
        assert (await client.say(command))[0] == "5"


async def test_silent_client_is_told_and_dropped(tmp_path):
    async with relaying(tmp_path, "127.0.0.1:9") as (proxy, client):
        await client.hello()
        proxy.pass_time(301)
        assert (await client.reply())[0] == 421
        assert await client.closed() == b""


async def test_client_that_stops_in_the_content_is_dropped(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (proxy, client):
        await client.envelope("u@example.com")
        await client.say("DATA")
        client.writer.write(MESSAGE)
        await eventually(lambda: member.content)
        proxy.pass_time(181)
        assert (await client.reply())[0] == 421
        assert not member.messages
        await eventually(lambda: not member.open)


async def test_client_that_leaves_in_the_content_loses_nothing_but_its_message(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (_proxy, client):
        await client.envelope("u@example.com")
        await client.say("DATA")
        client.writer.write(MESSAGE)
        await eventually(lambda: member.content)
        client.close()
        await eventually(lambda: not member.open)
        assert not member.messages


async def test_slow_member_stops_the_client(tmp_path):
    """Content that a member does not read fills buffers up to a bound, and then the client waits."""

    async def never(member, command):
        await asyncio.Event().wait()

    async with MailMember() as member, serving(tmp_path, mail_config(member.address)) as proxy:
        member._content = never
        async with mail_client(proxy.port) as client:
            await client.envelope("u@example.com")
            await client.say("DATA")
            line = b"x" * 998 + b"\r\n"
            writing = asyncio.ensure_future(_write_all(client.writer, line * 64, 1000))
            (connection,) = proxy.connections
            await eventually(lambda: connection._lines._paused)
            assert connection._lines.buffered < 1 << 20
            assert not writing.done()
            writing.cancel()


async def _write_all(writer, data, times):
    for _ in range(times):
        writer.write(data)
        await writer.drain()
