"""Messages reach the members that the routes choose, and their replies are the client's."""

import pytest

from tests.kit.smtp import MESSAGE, MailMember, relaying, relaying_with, two_pools
from tests.kit.waiting import eventually


async def test_message_reaches_the_member_and_its_reply_the_client(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (_proxy, client):
        assert client.banner == (220, ["adc.test ESMTP"])
        assert await client.send("b@example.com") == "250 2.0.0 Ok: queued as 1"
        assert await client.say("QUIT") == "221 2.0.0 Bye"
        ((sender, recipients, content),) = member.messages
        assert (sender, recipients) == ("MAIL FROM:<a@client.test>", ["RCPT TO:<b@example.com>"])
        assert content.startswith(b"Received: from client.test ([127.0.0.1])\r\n\tby adc.test with ESMTP;")
        assert content.endswith(MESSAGE)


async def test_recipients_reach_the_pools_of_their_domains(tmp_path):
    async with MailMember() as one, MailMember() as other:
        async with relaying_with(tmp_path, two_pools(one, other)) as (_proxy, client):
            assert (await client.send("u@example.com")).startswith("250")
            assert (await client.send("u@elsewhere.test")).startswith("250")
        assert [recipients for _, recipients, _ in one.messages] == [["RCPT TO:<u@example.com>"]]
        assert [recipients for _, recipients, _ in other.messages] == [["RCPT TO:<u@elsewhere.test>"]]


async def test_message_is_split_for_recipients_of_two_pools(tmp_path):
    async with MailMember() as one, MailMember() as other:
        async with relaying_with(tmp_path, two_pools(one, other)) as (_proxy, client):
            assert (await client.send("u@example.com", "v@rest.test", "w@example.com")).startswith("250")
        assert one.messages[0][1] == ["RCPT TO:<u@example.com>", "RCPT TO:<w@example.com>"]
        assert other.messages[0][1] == ["RCPT TO:<v@rest.test>"]
        assert one.messages[0][2] == other.messages[0][2]


async def test_recipient_of_another_pool_is_deferred_without_split(tmp_path):
    async with MailMember() as one, MailMember() as other:
        async with relaying_with(tmp_path, two_pools(one, other, split=False)) as (_proxy, client):
            replies = await client.envelope("u@example.com", "v@rest.test")
            assert [each[:3] for each in replies] == ["250", "250", "452"]
            assert (await client.data()).startswith("250")
        assert (len(one.messages), len(other.messages)) == (1, 0)


async def test_member_decides_on_each_recipient(tmp_path):
    replies = {"RCPT TO:<no@": "550 5.1.1 No such user", "RCPT TO:<later@": "451 4.7.1 Greylisted"}
    async with MailMember(replies) as member, relaying(tmp_path, member) as (_proxy, client):
        told = await client.envelope("no@example.com", "later@example.com", "yes@example.com")
        assert told[1:] == ["550 5.1.1 No such user", "451 4.7.1 Greylisted", "250 2.1.5 Ok"]
        assert (await client.data()).startswith("250")


async def test_refused_sender_is_the_reply_to_the_recipient(tmp_path):
    replies = {"MAIL": "553 5.1.8 Sender rejected"}
    async with MailMember(replies) as member, relaying(tmp_path, member) as (_proxy, client):
        assert (await client.envelope("u@example.com"))[1] == "553 5.1.8 Sender rejected"
        assert (await client.say("DATA")).startswith("554")


async def test_reply_to_content_is_the_members(tmp_path):
    async with MailMember({".": "554 5.7.1 Spam"}) as member, relaying(tmp_path, member) as (_proxy, client):
        assert await client.send("u@example.com") == "554 5.7.1 Spam"
        member.replies.clear()
        assert (await client.send("u@example.com")).startswith("250")


async def test_acceptance_by_some_pools_only_is_never_250(tmp_path):
    full = {".": "451 4.3.0 Disk full"}
    async with MailMember() as one, MailMember(full) as other:
        async with relaying_with(tmp_path, two_pools(one, other)) as (_proxy, client):
            told = await client.send("u@example.com", "v@rest.test")
            assert told.startswith("451 4.3.0")
            other.replies["."] = "554 5.7.1 Spam"
            told = await client.send("u@example.com", "v@rest.test")
            assert told.startswith("554 5.7.1")
            assert "<v@rest.test>" in told
        assert len(one.messages) == 2


async def test_refusal_by_the_first_pool_keeps_the_message_from_the_second(tmp_path):
    async with MailMember({".": "554 5.7.1 Spam"}) as one, MailMember() as other:
        async with relaying_with(tmp_path, two_pools(one, other)) as (_proxy, client):
            assert await client.send("u@example.com", "v@rest.test") == "554 5.7.1 Spam"
        assert not other.messages


@pytest.mark.parametrize("lost", [0, 1])
async def test_pool_that_is_lost_before_the_end_keeps_the_message_from_all(tmp_path, lost):
    async with MailMember() as one, MailMember() as other:
        async with relaying_with(tmp_path, two_pools(one, other)) as (proxy, client):
            await client.envelope("u@example.com", "v@rest.test")
            await client.say("DATA")
            (one, other)[lost].drops.add("die")
            client.writer.write(MESSAGE + b"die\r\nmore")
            await eventually(lambda: one.content == other.content == b"die\r\n")
            (connection,) = proxy.connections
            await eventually(lambda: any(each.protocol.lost for each in connection.caller.leases))
            client.writer.write(b"\r\n.\r\n")
            assert (await client.reply())[0] == 451
        assert not one.messages
        assert not other.messages


async def test_conversation_is_kept_for_the_next_message(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (_proxy, client):
        for _ in range(3):
            assert (await client.send("u@example.com")).startswith("250")
        assert (member.connections, len(member.messages)) == (1, 3)


async def test_kept_conversation_that_was_closed_is_replaced(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (_proxy, client):
        await client.send("u@example.com")
        for writer in list(member.open):
            writer.transport.abort()
        assert (await client.send("u@example.com")).startswith("250")


async def test_recipient_without_a_route_gets_550(tmp_path):
    async with MailMember() as member:
        smtp = {"routes": [{"match": {"rcpt_domain": "example.com"}, "pool": "app"}]}
        async with relaying(tmp_path, member, smtp=smtp) as (_proxy, client):
            assert (await client.envelope("u@rest.test"))[1].startswith("550 5.1.2")


async def test_pipelined_transaction_is_answered_in_order(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (_proxy, client):
        client.writer.write(
            b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + MESSAGE + b".\r\n"
            b"MAIL FROM:<>\r\nRCPT TO:<c@d>\r\nRSET\r\nNOOP\r\nQUIT\r\n"
        )
        client.writer.write_eof()
        statuses = [(await client.reply())[0] for _ in range(10)]
        assert statuses == [250, 250, 250, 354, 250, 250, 250, 250, 250, 221]
        assert [sender for sender, _, _ in member.messages] == ["MAIL FROM:<a@b>"]


async def test_parameters_reach_members_that_know_them(tmp_path):
    extensions = ("8BITMIME", "SMTPUTF8", "DSN", "SIZE")
    smtp = {"extensions": ["SMTPUTF8", "DSN"]}
    async with (
        MailMember(extensions=extensions) as member,
        relaying(tmp_path, member, smtp=smtp) as (_proxy, client),
    ):
        assert {"DSN", "SMTPUTF8", "8BITMIME"} <= set((await client.hello())[1])
        mail = "MAIL FROM:<é@bücher.test> SIZE=9 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+20b"
        rcpt = "RCPT TO:<ü@example.com> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;u@example.com"
        assert (await client.say(mail)).startswith("250")
        assert (await client.say(rcpt)).startswith("250")
        assert (await client.data("Subject: é\r\n".encode())).startswith("250")
        ((sender, recipients, content),) = member.messages
        assert (sender, recipients) == (mail, [rcpt])
        assert content.endswith("Subject: é\r\n".encode())


async def test_message_that_a_member_cannot_carry_is_rejected(tmp_path):
    smtp = {"extensions": ["SMTPUTF8", "DSN"]}
    async with MailMember(extensions=()) as member, relaying(tmp_path, member, smtp=smtp) as (_proxy, client):
        await client.hello()
        for parameter, told in (
            ("SMTPUTF8", "553 5.6.7"),
            ("BODY=8BITMIME", "554 5.6.3"),
            ("RET=FULL", "555 5.5.4"),
        ):
            assert (await client.say(f"MAIL FROM:<a@b> {parameter}")).startswith("250")
            assert (await client.say("RCPT TO:<u@example.com>")).startswith(told)
            await client.say("RSET")
        assert (await client.say("MAIL FROM:<a@b> SIZE=9 BODY=7BIT")).startswith("250")
        assert (await client.say("RCPT TO:<u@example.com>")).startswith("250")
        assert member.commands[-2] == "MAIL FROM:<a@b>"
