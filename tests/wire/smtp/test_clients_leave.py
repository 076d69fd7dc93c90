"""A client that closes its connection while a member is silent: the member's connection is closed soon, unless the
member may have accepted the message."""

import json
from math import inf

import pytest

from adc.smtp.session_protocol import GRACE
from tests.kit.smtp import MESSAGE, MailMember, relaying
from tests.kit.waiting import eventually

ENVELOPE = b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<u@x>\r\n"
WHOLE = ENVELOPE + b"DATA\r\n" + MESSAGE + b".\r\n"
PATIENT = {"timeouts": {"connect": "5m"}}
STAGES = {
    "banner": ENVELOPE,
    "EHLO": ENVELOPE,
    "MAIL": ENVELOPE,
    "RCPT": ENVELOPE,
    "DATA": ENVELOPE + b"DATA\r\n",
}


class Silent(MailMember):
    """Is silent at `stage`; `reached` says that it has got there."""

    def __init__(self, stage, **options):
        super().__init__({stage: self._wait}, **options)
        self.reached = False

    async def _wait(self, member, command):
        self.reached = True
        await self.streams[-1][0].read()
        raise ConnectionResetError


@pytest.mark.parametrize("stage", STAGES)
async def test_member_is_let_go_when_the_client_leaves(tmp_path, stage):
    async with Silent(stage) as member, relaying(tmp_path, member, smtp=PATIENT) as (proxy, client):
        client.writer.write(STAGES[stage])
        await eventually(lambda: member.reached)
        (connection,) = proxy.connections
        client.close()
        await eventually(lambda: connection._lines.over and connection.deadline < inf)
        assert member.open
        proxy.pass_time(GRACE)
        await eventually(lambda: not member.open)
        await eventually(lambda: not proxy.connections)
        assert proxy.member().active == 0
        assert "smtp_session_failed" not in proxy.error_log()


async def test_half_closed_client_that_cannot_complete_a_message_is_told_so(tmp_path):
    async with Silent("RCPT") as member, relaying(tmp_path, member) as (_proxy, client):
        client.writer.write(ENVELOPE)
        await eventually(lambda: member.reached)
        client.writer.write_eof()
        assert (await client.closed()).endswith(b"421 4.4.2 Connection closed before QUIT\r\n")
        await eventually(lambda: not member.open)


async def test_message_is_decided_by_the_member_although_the_client_has_left(tmp_path):
    """From the end of the content on the member may be responsible for it (RFC 5321 section 6.1)."""
    gone = []

    async def late(member, command):
        await eventually(lambda: gone)
        return "250 2.0.0 Ok: queued"

    log = tmp_path / "mail.log"
    smtp = {"log": {"path": str(log), "format": "json"}}
    async with MailMember({".": late}) as member, relaying(tmp_path, member, smtp=smtp) as (proxy, client):
        client.writer.write(WHOLE)
        await eventually(lambda: member.content)
        client.close()
        (connection,) = proxy.connections
        await eventually(lambda: connection._lines.over)
        assert len(member.open) == 1
        gone.append(True)
        await eventually(lambda: member.messages)
        await eventually(lambda: not member.open)
        await eventually(lambda: not proxy.connections)
        proxy.worker.logs.flush()
        assert json.loads(log.read_text())["status"] == 250


@pytest.mark.parametrize("rest", [b"QUIT\r\n", b"DATA\r\n" + MESSAGE + b".\r\nQUIT\r\n"])
async def test_commands_in_front_of_a_half_close_are_processed(tmp_path, rest):
    async with MailMember() as member, relaying(tmp_path, member) as (_proxy, client):
        client.writer.write(ENVELOPE + rest)
        client.writer.write_eof()
        assert (await client.closed()).endswith(b"221 2.0.0 Bye\r\n")
        assert len(member.messages) == rest.startswith(b"DATA")
