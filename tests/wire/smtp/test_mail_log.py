"""The mail log says of each message and each rejected recipient what became of it."""

import asyncio
import json

from tests.kit.smtp import MESSAGE, MailMember, relaying, relaying_with, two_pools
from tests.kit.waiting import eventually


def logged(folder):
    return {"log": {"path": str(folder / "mail.log"), "format": "json"}}


def lines(folder, proxy):
    proxy.worker.logs.flush()
    return [json.loads(line) for line in (folder / "mail.log").read_text().splitlines()]


async def test_accepted_message(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member, smtp=logged(tmp_path)) as (proxy, client):
        await client.send("u@example.com", "v@example.com")
        (line,) = lines(tmp_path, proxy)
        assert line.pop("ts")
        assert 0 <= line.pop("seconds") < 30
        assert line == {
            "level": "info", "event": "mail", "listener": "web", "client": "127.0.0.1", "helo": "client.test",
            "protocol": "ESMTP", "login": "", "sender": "a@client.test", "recipients": 2,
            "to": "u@example.com,v@example.com", "size": len(MESSAGE), "pool": "app", "member": member.address,
            "status": 250, "reply": "2.0.0 Ok: queued as 1", "client_status": 250,
        }  # fmt: skip


async def test_message_that_a_member_rejects_at_data(tmp_path):
    replies = {"DATA": "554 5.7.1 Not from you"}
    async with (
        MailMember(replies) as member,
        relaying(tmp_path, member, smtp=logged(tmp_path)) as (proxy, client),
    ):
        await client.send("u@example.com")
        (line,) = lines(tmp_path, proxy)
        assert (line["status"], line["size"], line["client_status"]) == (554, 0, 554)
        assert proxy.listener.settings.counts == {("app", "rejected"): 1}


async def test_message_whose_client_leaves(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member, smtp=logged(tmp_path)) as (proxy, client):
        await client.envelope("u@example.com")
        await client.say("DATA")
        client.writer.write(MESSAGE)
        await eventually(lambda: member.content)
        client.close()
        (line,) = await eventually(lambda: lines(tmp_path, proxy))
        assert (line["status"], line["client_status"]) == (451, 0)
        assert 0 < line["size"] <= len(MESSAGE)


async def test_message_that_adc_rejects(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member, smtp=logged(tmp_path)) as (proxy, client):
        await client.send("u@example.com", content=b"a\nb\r\n")
        (line,) = await eventually(lambda: lines(tmp_path, proxy))
        assert (line["status"], line["client_status"]) == (521, 521)
        assert line["reply"] == "5.5.2 Bare CR or LF in the message"


async def test_decisions_of_two_pools_and_the_reply_to_the_client(tmp_path):
    async with MailMember() as one, MailMember({".": "451 4.3.0 Full"}) as other:
        mapping = two_pools(one, other, **logged(tmp_path))
        async with relaying_with(tmp_path, mapping) as (proxy, client):
            await client.send("u@example.com", "v@rest.test")
            found = [
                (each["pool"], each["to"], each["status"], each["client_status"])
                for each in lines(tmp_path, proxy)
            ]
            assert found == [("app", "u@example.com", 250, 451), ("rest", "v@rest.test", 451, 451)]


async def test_rejected_senders_and_recipients(tmp_path):
    replies = {"RCPT TO:<no@": "550 5.1.1 No such user"}
    smtp = {**logged(tmp_path), "routes": [{"match": {"rcpt_domain": "example.com"}, "pool": "app"}]}
    async with MailMember(replies) as member, relaying(tmp_path, member, smtp=smtp) as (proxy, client):
        await client.hello()
        await client.say("MAIL FROM:<a@b> SIZE=900000000")
        await client.envelope("no@example.com", "u@elsewhere.test", "u@x\x7f")
        found = lines(tmp_path, proxy)
        assert {each["event"] for each in found} == {"mail_refused"}
        assert [(each["sender"], each["to"], each["status"], each["member"]) for each in found] == [
            ("FROM:<a@b> SIZE=900000000", "", 552, ""),
            ("a@client.test", "no@example.com", 550, member.address),
            ("a@client.test", "u@elsewhere.test", 550, ""),
            ("a@client.test", "TO:<u@x\x7f>", 501, ""),
        ]


async def test_line_is_bounded_and_escaped(tmp_path):
    reply = "250-" + "\x1b[31m" * 90 + "\r\n250-" + "x" * 3000 + "\r\n250 level=error event=fake"
    smtp = {"log": {"path": str(tmp_path / "mail.log")}}
    async with MailMember({".": reply}) as member, relaying(tmp_path, member, smtp=smtp) as (proxy, client):
        await client.hello()
        assert (await client.say('MAIL FROM:<"a b = c"@d>')).startswith("250")
        for number in range(30):
            await client.say(f"RCPT TO:<{'u' * 60}{number}@example.com>")
        await client.data()
        proxy.worker.logs.flush()
        (line,) = (tmp_path / "mail.log").read_text().splitlines()
        assert line.isascii()
        assert line.isprintable()
        assert 'sender="\\x22a b = c\\x22@d" recipients=30 to=u' in line
        assert len(line) < 6000
        assert "@example.com,... size=" in line


async def test_password_is_in_no_log(tmp_path):
    smtp = {**logged(tmp_path), "auth": {"pool": "app", "without_tls": True}}
    secret, coded = "hunter2hunter2", "AGFubgBodW50ZXIyaHVudGVyMg=="
    member = MailMember({"AUTH": "535 5.7.8 No"}, extensions=("AUTH PLAIN",))
    async with member, relaying(tmp_path, member, smtp=smtp) as (proxy, client):
        await client.hello()
        await client.say(f"AUTH PLAIN {coded}")
        member.replies["AUTH"] = None
        await client.say(f"AUTH PLAIN {coded}")
        member.replies["AUTH"] = "garbage"
        await client.say(f"AUTH PLAIN {coded}")
        del member.replies["AUTH"]
        await client.say(f"AUTH PLAIN {coded}")
        await client.say("MAIL FROM:<a@b>")
        await client.say("RCPT TO:<u@example.com>")
        await client.data()
        await asyncio.sleep(0)
        (line,) = lines(tmp_path, proxy)
        assert line["login"] == "ann"
        told = proxy.error_log() + (tmp_path / "mail.log").read_text()
        assert "reason=auth" in told
        assert secret not in told
        assert coded not in told
