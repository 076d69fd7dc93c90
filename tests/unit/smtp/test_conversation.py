"""A conversation with a member whose replies come at the earliest moment: while adc still writes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adc.smtp.conversation import Conversation, MemberError
from adc.smtp.member_protocol import MemberProtocol
from tests.kit.waiting import within


class PromptTransport(asyncio.Transport):
    """Replies to what is written before `write` returns."""

    def __init__(self, protocol: MemberProtocol, replies: dict[bytes, bytes]) -> None:
        super().__init__()
        self._protocol = protocol
        self._replies = replies
        self.closed = False

    def write(self, data: Any) -> None:
        for beginning, told in self._replies.items():
            if data.startswith(beginning):
                self._protocol.data_received(told)

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True


async def conversation(replies: dict[bytes, bytes]) -> Conversation:
    protocol = MemberProtocol(asyncio.get_running_loop())
    transport = PromptTransport(protocol, {b"EHLO": b"250 member\r\n", **replies})
    protocol.connection_made(transport)
    protocol.data_received(b"220 member\r\n")
    talk = Conversation(protocol, 5.0)
    await talk.greet("adc.test")
    return talk


async def test_reply_to_content_is_read_however_early_it_comes() -> None:
    talk = await conversation({b"DATA": b"354 Go on\r\n", b".\r\n": b"250 2.0.0 Queued\r\n"})
    assert (await talk.begin_content()).status == 354
    await talk.write(b"x\r\n")
    told = await within(talk.end_content(5.0))
    assert (told.status, talk.usable) == (250, True)


@pytest.mark.parametrize("first", [b"354 Go on\r\n250 Ok\r\n", b"354 Go on\r\n25"])
async def test_reply_behind_354_ends_the_conversation(first: bytes) -> None:
    talk = await conversation({b"DATA": first})
    with pytest.raises(MemberError, match="reply before the end"):
        await talk.begin_content()
    assert not talk.usable


@pytest.mark.parametrize(("early", "told"), [(b"552 5.3.4 Too big\r\n", 552), (b"250 2.0.0 Ok\r\n", 451)])
async def test_reply_in_the_content_refuses_or_defers(early: bytes, told: int) -> None:
    talk = await conversation({b"DATA": b"354 Go on\r\n", b"x": early})
    await talk.begin_content()
    with pytest.raises(MemberError) as caught:
        await talk.write(b"x\r\n")
    assert caught.value.reply.status == told
