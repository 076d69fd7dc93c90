"""Recipients that a member gets ahead of their turn: none stays at the member that the client was not promised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from adc.smtp.delivery import Delivery, Recipient, Sender
from adc.smtp.path import Mailbox
from adc.smtp.replies import Reply, reply_of

A, B, C = (Recipient(Mailbox(name, "x.test"), {}) for name in "abc")


class Conversation:
    """Accepts everything; `sent` are the commands, each once."""

    extensions = frozenset(("PIPELINING",))

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.closed = False
        self._ahead: list[str] = []

    async def send_ahead(self, lines: Sequence[str]) -> None:
        self.sent += lines
        self._ahead = list(lines)

    async def command(self, line: str) -> Reply:
        if self._ahead[:1] == [line]:
            self._ahead.pop(0)
        else:
            self.sent.append(line)
        return reply_of(250, "2.0.0 Ok")

    async def begin_content(self) -> Reply:
        return reply_of(354, "Go on")


class Lease:
    usable = True

    def __init__(self) -> None:
        self.member = self
        self.name = "member"
        self.conversation = Conversation()

    def close(self) -> None:
        self.conversation.closed = True


class Pool:
    def __init__(self) -> None:
        self.leases: list[Lease] = []

    async def open(self, *_: Any) -> Lease:
        self.leases.append(Lease())
        return self.leases[-1]


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def delivery(pool: Pool) -> Delivery:
    sender = Sender(Mailbox("s", "x.test"), {})
    return Delivery(pool, None, None, sender)  # type: ignore[arg-type]


async def test_announced_recipients_go_out_with_the_sender(pool: Pool, delivery: Delivery) -> None:
    await delivery.add(A, [A, B])
    await delivery.add(B)
    assert (await delivery.begin_content()).status == 354
    (lease,) = pool.leases
    assert lease.conversation.sent == ["MAIL FROM:<s@x.test>", "RCPT TO:<a@x.test>", "RCPT TO:<b@x.test>"]


async def test_announced_recipient_that_never_comes_ends_the_conversation(
    pool: Pool, delivery: Delivery
) -> None:
    await delivery.add(A, [A, B])
    assert (await delivery.begin_content()).status == 354
    first, second = pool.leases
    assert first.conversation.closed
    assert second.conversation.sent == ["MAIL FROM:<s@x.test>", "RCPT TO:<a@x.test>"]


async def test_other_recipient_than_the_announced_one_ends_the_conversation(
    pool: Pool, delivery: Delivery
) -> None:
    await delivery.add(A, [A, B])
    await delivery.add(C)
    first, second = pool.leases
    assert first.conversation.closed
    assert second.conversation.sent == ["MAIL FROM:<s@x.test>", "RCPT TO:<a@x.test>", "RCPT TO:<c@x.test>"]
    assert delivery.recipients == [A, C]
