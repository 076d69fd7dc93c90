"""A message is accepted only by a member; members that fail are replaced while nothing is lost."""

import pytest

from tests.kit.ports import free_port
from tests.kit.proxy import serving
from tests.kit.smtp import MESSAGE, MailMember, mail_client, mail_config, relaying
from tests.kit.waiting import eventually

FAILING = [
    {"banner": None},
    {"banner": "421 4.3.2 Busy"},
    {"EHLO": None},
    {"banner": "554 No"},
    {"banner": "220-" + "x\r\n220-" * 20_000},
    {"EHLO": "421 4.3.2 Closing"},
    {"EHLO": "garbage"},
    {"MAIL": None},
    {"MAIL": "421 4.3.2 Closing"},
    {"MAIL": "250 " + "x" * 100_000},
    {"RCPT": None},
    {"RCPT": "421 4.3.2 Closing"},
    {"RCPT": "garbage"},
    {"DATA": None},
    {"DATA": "421 4.3.2 Closing"},
    {"DATA": "garbage"},
    {"DATA": "354 Go on\r\n250 2.0.0 Ok"},
]


@pytest.mark.parametrize("failing", FAILING, ids=lambda failing: str(failing)[:40])
async def test_member_that_fails_before_the_content_is_replaced(tmp_path, failing):
    async with MailMember(failing) as bad, MailMember() as good:
        pool = {"balance": "first", "health": {"passive": False}}
        async with relaying(tmp_path, bad, good, pool=pool) as (_proxy, client):
            assert (await client.send("u@example.com")).startswith("250")
        assert len(good.messages) == 1


async def test_unreachable_member_is_passed_over(tmp_path):
    async with MailMember() as good:
        dead = f"127.0.0.1:{free_port()}"
        async with relaying(tmp_path, dead, good) as (_proxy, client):
            for _ in range(3):
                assert (await client.send("u@example.com")).startswith("250")


async def test_no_reachable_member_defers_the_recipient(tmp_path):
    async with relaying(tmp_path, f"127.0.0.1:{free_port()}") as (_proxy, client):
        assert (await client.envelope("u@example.com"))[1].startswith("451 4.4.1")


async def test_member_that_dies_in_the_content_defers_the_message(tmp_path):
    async with MailMember() as member, serving(tmp_path, mail_config(member.address)) as proxy:
        member.drops.add("die")
        async with mail_client(proxy.port) as client:
            assert (await client.send("u@example.com", content=MESSAGE + b"die\r\n" + MESSAGE)).startswith(
                "451 4.4.2"
            )
            assert (await client.send("u@example.com")).startswith("250")
        assert len(member.messages) == 1


async def test_member_that_dies_at_the_end_defers_the_message(tmp_path):
    async with MailMember({".": None}) as member, relaying(tmp_path, member) as (_proxy, client):
        assert (await client.send("u@example.com")).startswith("451 4.4.2")


async def test_early_acceptance_is_none(tmp_path):
    """A member that accepts before the content has ended has not seen the message."""
    async with MailMember({"DATA": "354 Go on\r\n250 2.0.0 Ok: queued as lie"}) as member:
        member.drops.add("stop")
        async with relaying(tmp_path, member) as (_proxy, client):
            assert (await client.envelope("u@example.com"))[1].startswith("250")
            told = await client.data(MESSAGE + b"stop\r\n")
            assert told.startswith("451")


async def test_acceptance_behind_354_is_none(tmp_path):
    """It is in one packet with 354, so that it waits where the reply to the content is read."""
    replies = {"DATA": "354 Go on\r\n250 2.0.0 Ok: queued as lie", ".": "550 5.7.1 Spam"}
    async with MailMember(replies) as member, relaying(tmp_path, member) as (_proxy, client):
        assert (await client.send("u@example.com")).startswith("451")


async def test_message_without_a_final_reply_is_sent_once(tmp_path):
    """The member may have it: only the client may send it again."""
    async with MailMember({".": None}) as lost, MailMember() as other:
        pool = {"balance": "first"}
        async with relaying(tmp_path, lost, other, pool=pool) as (_proxy, client):
            assert (await client.send("u@example.com")).startswith("451 4.4.2")
        assert not other.messages


async def test_refusals_of_all_members_are_the_reply(tmp_path):
    member = MailMember({"MAIL": "421 4.3.2 Too busy"})
    async with member, relaying(tmp_path, member) as (_proxy, client):
        assert (await client.envelope("u@example.com"))[1] == "451 4.3.2 Too busy"


async def test_reply_that_nobody_asked_for_is_not_given_to_the_next_command(tmp_path):
    replies = {"MAIL": "250 2.1.0 Ok\r\n250 2.1.5 Ok", "RCPT": "550 5.1.1 No such user"}
    async with MailMember(replies, extensions=()) as member, relaying(tmp_path, member) as (_proxy, client):
        assert (await client.envelope("u@example.com"))[1].startswith("451")


@pytest.mark.parametrize("told", ["garbage", "999 what", "250", "354 go on", "-25 x", "2_5 x", "25"])
async def test_reply_that_makes_no_sense_never_accepts(tmp_path, told):
    async with MailMember({".": told}) as member, relaying(tmp_path, member) as (_proxy, client):
        assert (await client.send("u@example.com"))[:3] == ("250" if told == "250" else "451")
        await client.say("MAIL FROM:<a@b>")
        await client.say("RCPT TO:<u@example.com>")
        assert member.connections == (1 if told == "250" else 2)


async def never(member, command):
    """Reply nothing until adc closes the connection."""
    await member.streams[-1][0].read()
    raise ConnectionResetError


@pytest.mark.parametrize("stage", ["banner", "EHLO", "MAIL", "RCPT", "DATA"])
async def test_member_that_is_silent_before_the_content_is_replaced(tmp_path, stage):
    timeouts = {"timeouts": {"connect": "100ms", "reply": "100ms"}}
    async with MailMember({stage: never}) as silent, MailMember() as good:
        pool = {"balance": "first", "health": {"passive": False}}
        async with relaying(tmp_path, silent, good, pool=pool, smtp=timeouts) as (_proxy, client):
            assert (await client.send("u@example.com")).startswith("250")
        await eventually(lambda: not silent.open)


async def test_member_that_is_silent_after_the_content_defers_the_message(tmp_path):
    timeouts = {"timeouts": {"delivery": "100ms"}}
    async with MailMember({".": never}) as silent, MailMember() as other:
        pool = {"balance": "first"}
        async with relaying(tmp_path, silent, other, pool=pool, smtp=timeouts) as (proxy, client):
            assert (await client.send("u@example.com")).startswith("451 4.4.2")
            assert "reason=response_timeout" in proxy.error_log()
        assert not other.messages


async def test_idle_member_that_keeps_talking_is_closed(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (proxy, client):
        await client.send("u@example.com")
        ((_, writer),) = member.streams
        writer.write(b"250 2.0.0 Hello again\r\n")
        await eventually(lambda: not member.open)
        assert (await client.send("u@example.com")).startswith("250")
        assert (member.connections, proxy.member().active) == (2, 1)


async def test_recipient_that_was_promised_is_never_left_out(tmp_path):
    """A member that refuses a recipient of the envelope that a lost member had accepted does not get the others."""
    replies = {"RCPT TO:<second@": None}
    async with MailMember(replies) as first, MailMember({"RCPT TO:<one@": "550 5.1.1 No such user"}) as other:
        async with relaying(tmp_path, first, other, pool={"balance": "first"}) as (_proxy, client):
            told = await client.envelope("one@example.com", "second@example.com", "third@example.com")
            assert [each[:3] for each in told] == ["250", "250", "451", "451"]
            assert (await client.data()).startswith("451")
        assert not other.messages
