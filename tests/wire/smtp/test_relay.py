"""Messages reach the members that the routes choose, and their replies are the client's."""

from tests.kit.proxy import serving
from tests.kit.smtp import MESSAGE, MailMember, mail_client, mail_config


async def test_message_reaches_the_member_and_its_reply_the_client(tmp_path):
    async with MailMember() as member, serving(tmp_path, mail_config(member.address)) as proxy:
        async with mail_client(proxy.port) as client:
            assert client.banner == (220, ["adc.test ESMTP"])
            assert await client.send("b@example.com") == "250 2.0.0 Ok: queued as 1"
            assert await client.say("QUIT") == "221 2.0.0 Bye"
        ((sender, recipients, content),) = member.messages
        assert (sender, recipients) == ("MAIL FROM:<a@client.test>", ["RCPT TO:<b@example.com>"])
        assert content.startswith(b"Received: from client.test ([127.0.0.1])\r\n\tby adc.test with ESMTP;")
        assert content.endswith(MESSAGE)
