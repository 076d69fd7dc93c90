"""MAIL and RCPT reach a member that offers PIPELINING together (RFC 2920); the client's replies stay what they were."""

import random

import pytest

from tests.kit.smtp import MESSAGE, MailMember, mail_config, relaying, relaying_with
from tests.kit.waiting import eventually

PLAIN = ("8BITMIME", "SIZE 1000000")
POOL = {"balance": "first", "health": {"passive": False}}
QUICK = {"timeouts": {"reply": "300ms"}}


def after(count, then="250 2.1.0 Ok"):
    """Reply once `count` further commands have arrived."""

    async def answer(member, command):
        reader, _ = member.streams[-1]
        await eventually(lambda: reader._buffer.count(b"\r\n") >= count)
        return then

    return answer


async def alone(member, command):
    """Reply, unless the next command is here already."""
    reader, _ = member.streams[-1]
    return "250 2.0.0 Ok" if not reader._buffer else "503 5.5.1 One at a time"


async def group(client, *recipients, sender="a@client.test"):
    """Send MAIL and all RCPT in one write; return the replies."""
    lines = [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{each}>" for each in recipients)]
    client.writer.write("".join(f"{line}\r\n" for line in lines).encode())
    replies = [await client.reply() for _ in lines]
    return [f"{status} {text[-1]}" for status, text in replies]


async def test_pipelined_recipients_reach_the_member_together(tmp_path):
    async with MailMember({"MAIL": after(3)}) as member:
        async with relaying(tmp_path, member, smtp=QUICK) as (_proxy, client):
            await client.hello()
            told = await group(client, "a@x.test", "b@x.test", "c@x.test")
            assert [each[:3] for each in told] == ["250"] * 4
            assert (await client.data()).startswith("250")
        assert len(member.messages[0][1]) == 3


async def test_sender_and_first_recipient_of_a_client_that_waits_reach_the_member_together(tmp_path):
    async with (
        MailMember({"MAIL": after(1)}) as member,
        relaying(tmp_path, member, smtp=QUICK) as (_proxy, client),
    ):
        assert (await client.send("a@x.test")).startswith("250")


async def test_recipients_behind_the_first_group_reach_the_member_together(tmp_path):
    async with MailMember({"RCPT TO:<b@": after(2, "250 2.1.5 Ok")}) as member:
        async with relaying(tmp_path, member, smtp=QUICK) as (_proxy, client):
            await client.envelope("a@x.test")
            client.writer.write(b"".join(b"RCPT TO:<%c@x.test>\r\n" % each for each in b"bcd"))
            assert [(await client.reply())[0] for _ in range(3)] == [250] * 3
            assert (await client.data()).startswith("250")
        assert len(member.messages[0][1]) == 4


async def test_member_without_pipelining_gets_one_command_at_a_time(tmp_path):
    member = MailMember({"MAIL": alone, "RCPT": alone}, extensions=PLAIN)
    async with member, relaying(tmp_path, member) as (_proxy, client):
        await client.hello()
        told = await group(client, "a@x.test", "b@x.test", "c@x.test")
        assert [each[:3] for each in told] == ["250"] * 4


async def test_each_recipient_gets_the_reply_to_itself(tmp_path):
    replies = {"RCPT TO:<no@": "550 5.1.1 No such user", "RCPT TO:<later@": "451 4.7.1 Greylisted"}
    async with MailMember(replies) as member, relaying(tmp_path, member) as (_proxy, client):
        await client.hello()
        told = await group(client, "no@x.test", "yes@x.test", "bad address", "later@x.test", "too@x.test")
        assert [each[:3] for each in told[1:]] == ["550", "250", "501", "451", "250"]
        assert (await client.data()).startswith("250")
        assert member.messages[0][1] == ["RCPT TO:<yes@x.test>", "RCPT TO:<too@x.test>"]


async def test_alternating_pools_get_their_recipients_together(tmp_path):
    async with MailMember({"MAIL": after(2)}) as one, MailMember({"MAIL": after(2)}) as other:
        routes = [{"match": {"rcpt_domain": ["x.test"]}, "pool": "app"}, {"pool": "rest"}]
        mapping = mail_config(one.address, smtp={"routes": routes, **QUICK})
        mapping["pools"]["rest"] = [other.address]
        async with relaying_with(tmp_path, mapping) as (_proxy, client):
            await client.hello()
            told = await group(client, "a@x.test", "b@y.test", "c@x.test", "d@y.test")
            assert [each[:3] for each in told] == ["250"] * 5
            assert (await client.data()).startswith("250")
        assert one.messages[0][1] == ["RCPT TO:<a@x.test>", "RCPT TO:<c@x.test>"]
        assert other.messages[0][1] == ["RCPT TO:<b@y.test>", "RCPT TO:<d@y.test>"]


async def test_refused_sender_is_the_reply_to_each_recipient(tmp_path):
    replies = {"MAIL": "553 5.1.8 Sender rejected", "RCPT": "503 5.5.1 No MAIL"}
    async with MailMember(replies) as member, relaying(tmp_path, member) as (_proxy, client):
        await client.hello()
        told = await group(client, *(f"u{number}@x.test" for number in range(10)))
        assert told[1:] == ["553 5.1.8 Sender rejected"] * 10
        assert (await client.say("DATA")).startswith("554")
        assert len(member.commands) < 40
        del member.replies["MAIL"], member.replies["RCPT"]
        await client.say("RSET")
        assert (await client.send("a@x.test")).startswith("250")
        assert member.messages[0][1] == ["RCPT TO:<a@x.test>"]


async def test_member_gets_no_recipient_above_the_limit(tmp_path):
    smtp = {"limits": {"recipients": 2}}
    async with MailMember() as member, relaying(tmp_path, member, smtp=smtp) as (_proxy, client):
        await client.hello()
        told = await group(client, *(f"u{number}@x.test" for number in range(4)))
        assert [each[:3] for each in told] == ["250", "250", "250", "452", "452"]
        assert len([each for each in member.commands if each.startswith("RCPT")]) == 2
        assert (await client.data()).startswith("250")


@pytest.mark.parametrize("told", [None, "421 4.3.2 Closing", "garbage"])
@pytest.mark.parametrize("place", ["MAIL", "RCPT TO:<a@", "RCPT TO:<b@", "RCPT TO:<c@"])
async def test_member_that_is_lost_in_a_group_is_replaced(tmp_path, place, told):
    async with MailMember({place: told}) as bad, MailMember({"RCPT TO:<c@": "550 5.1.1 No"}) as good:
        async with relaying(tmp_path, bad, good, pool=POOL) as (_proxy, client):
            await client.hello()
            replies = await group(client, "a@x.test", "b@x.test", "c@x.test", "d@x.test")
            assert [each[:3] for each in replies] == ["250", "250", "250", "550", "250"]
            assert (await client.data()).startswith("250")
        assert good.messages[0][1] == [f"RCPT TO:<{each}@x.test>" for each in "abd"]
        assert not bad.messages


@pytest.mark.parametrize("place", ["MAIL", "RCPT TO:<a@"])
async def test_surplus_reply_in_a_group_never_accepts(tmp_path, place):
    """It would make the reply to the content that of another command."""
    replies = {place: "250 2.1.5 Ok\r\n250 2.1.5 Ok", "RCPT TO:<b@": "550 5.1.1 No such user"}
    async with MailMember(replies) as member, relaying(tmp_path, member) as (_proxy, client):
        await client.hello()
        await group(client, "a@x.test", "b@x.test")
        assert not (await client.data()).startswith("250")
        assert not member.messages


async def test_flood_of_replies_in_a_group_is_bounded(tmp_path):
    replies = {"MAIL": "250 2.1.0 Ok\r\n" + "\r\n".join(["250 " + "x" * 400] * 5000)}
    async with MailMember(replies) as bad, MailMember() as good:
        async with relaying(tmp_path, bad, good, pool=POOL) as (_proxy, client):
            await client.hello()
            assert (await group(client, "a@x.test", "b@x.test"))[1:] == ["250 2.1.5 Ok"] * 2
            assert (await client.data()).startswith("250")
        assert not bad.messages


@pytest.mark.parametrize("seed", range(12))
async def test_replies_are_those_of_a_member_without_pipelining(tmp_path, seed):
    chance = random.Random(seed)
    replies = {}
    for number in range(60):
        usual = "250 2.1.5 Ok"
        choices = [usual, usual, f"550 5.1.1 No user {number}", f"451-4.7.1 Wait\r\n451 4.7.1 for {number}"]
        replies[f"RCPT TO:<u{number}@"] = chance.choice(choices)
    everyone = [f"u{number}@x.test" for number in range(60)]
    heard = []
    for extensions in (("PIPELINING", *PLAIN), PLAIN):
        member = MailMember(replies, extensions=extensions)
        folder = tmp_path / str(len(extensions))
        folder.mkdir()
        async with member, relaying(folder, member, smtp={"limits": {"errors": 100}}) as (_proxy, client):
            await client.hello()
            told = await group(client, *everyone)
            told.append(await client.data(MESSAGE))
        heard.append((told, member.messages[0][:2]))
    assert heard[0] == heard[1]
