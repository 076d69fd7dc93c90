"""A client that leaves while a member is asked leaves nothing behind: no connection, no count, no error."""

import asyncio

import pytest

from adc.net.tcp_options import close_by_reset
from adc.smtp.member_protocol import MemberProtocol
from tests.kit.smtp import MESSAGE, MailMember, mail_client, relaying
from tests.kit.waiting import eventually

WHOLE = b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<u@x>\r\nDATA\r\n" + MESSAGE + b".\r\n"
REPLIES = ["greeting", "EHLO", "MAIL", "RCPT", "DATA"]


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("number", range(len(REPLIES)), ids=REPLIES)
async def test_client_leaves_as_a_reply_arrives(tmp_path, monkeypatch, number, turns):
    """asyncio's `wait_for` returns a result that is there instead of a cancellation that comes at the same time."""
    replies = []
    received = MemberProtocol.data_received

    def leave(self, data):
        received(self, data)
        replies.append(data)
        if len(replies) == number + 1:
            later(turns, client.connection.transport.abort)

    def later(iterations, call):
        asyncio.get_running_loop().call_soon(later, iterations - 1, call) if iterations else call()

    monkeypatch.setattr(MemberProtocol, "data_received", leave)
    async with MailMember() as member, relaying(tmp_path, member) as (proxy, client):
        (client.connection,) = proxy.connections
        client.writer.write(WHOLE)
        await eventually(lambda: len(replies) > number)
        await eventually(lambda: not proxy.connections)
        await eventually(lambda: proxy.member().active == 0)
        await eventually(lambda: not member.open)
        assert "smtp_session_failed" not in proxy.error_log()


async def test_clients_that_are_reset_at_any_time(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (proxy, first):
        for iterations in range(40):
            async with mail_client(proxy.port) as client:
                client.writer.write(WHOLE)
                for _ in range(iterations):
                    await asyncio.sleep(0)
                close_by_reset(client.writer.get_extra_info("socket"))
                client.writer.transport.abort()
        first.close()
        await eventually(lambda: not proxy.connections)
        await eventually(lambda: proxy.member().active == 0)
        await eventually(lambda: not member.open)
        assert "smtp_session_failed" not in proxy.error_log()
