"""Replies to pipelined commands leave together, and in order (RFC 2920)."""

from __future__ import annotations

import asyncio

from tests.kit.smtp_memory import converse

ENVELOPE = b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<refused@d>\r\nDATA\r\n"


def written(pieces: list[bytes]) -> list[list[bytes]]:
    """The statuses of the replies, by write, after greeting and EHLO."""
    writes: list[bytes] = []
    asyncio.run(converse([b"EHLO c\r\n", *pieces], [9] * (len(pieces) + 1), writes=writes))
    return [[line[:3] for line in each.splitlines()] for each in writes[2:]]


def test_replies_to_a_group_leave_in_one_write() -> None:
    assert written([ENVELOPE, b"x\r\n.\r\n"]) == [[b"250", b"250", b"550", b"354"], [b"250"]]


def test_reply_to_the_last_command_waits_for_nothing() -> None:
    assert written([b"MAIL FROM:<a@b>\r\n", b"RSET\r\n"]) == [[b"250"], [b"250"]]
    assert written([b"MAIL FROM:<a@b>\r\nRSE", b"T\r\n"]) == [[b"250"], [b"250"]]


def test_replies_that_were_kept_back_come_before_the_last_one() -> None:
    assert written([b"MAIL FROM:<a@b>\r\nNOOP\n"]) == [[b"250", b"521"]]
    assert written([b"MAIL FROM:<a@b>\r\nXYZZY\r\n"]) == [[b"250", b"500"]]
    assert written([b"MAIL FROM:<a@b>\r\nQUIT\r\n"]) == [[b"250", b"221"]]


def test_replies_that_are_kept_back_are_bounded() -> None:
    (first, *_) = written([b"MAIL FROM:<a@b>\r\n" + b"RCPT TO:<c@d>\r\n" * 500])
    assert 100 < len(first) < 400
