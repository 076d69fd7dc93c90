"""What looks like the end of a message to some servers ends no message here, wherever the bytes are cut."""

from __future__ import annotations

import asyncio

import pytest

from tests.kit.smtp_memory import converse

ENVELOPE = b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
SMUGGLED = b"MAIL FROM:<evil@x>\r\nRCPT TO:<victim@y>\r\nDATA\r\nsmuggled\r\n.\r\n"
REFUSED = [
    b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n\n.\r\n", b"\r\r\n.\r\n", b"\r\n.\r\r\n",
    b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\0\n.\r\n", b"\r\n.\r\0\n", b"\0\r\n.\n", b"\r\n\n.\r\n", b"\r.\n",
]  # fmt: skip
CONTENT = [
    b"\r\n..\r\n",
    b"\r\n. \r\n",
    b"\r\n.\x0b\r\n",
    b"\xc2\x85.\xc2\x85",
    b"\xe2\x80\xa8.\xe2\x80\xa8",
    b"\\r\\n.\\r\\n",
]


def cuts(data: bytes) -> list[list[bytes]]:
    return [[data], *([data[:at], data[at:]] for at in range(len(ENVELOPE), len(data)))]


@pytest.mark.parametrize("end", REFUSED)
@pytest.mark.parametrize("before", [b"body", b""])
def test_other_ends_of_content_are_refused(end: bytes, before: bytes) -> None:
    for pieces in cuts(ENVELOPE + before + end + SMUGGLED):
        heard = asyncio.run(converse(pieces, [3, 3]))
        assert not heard.messages
        assert heard.replies.split(b"354 End data with <CR><LF>.<CR><LF>\r\n")[1][:4] in (b"521 ", b"554 ")


@pytest.mark.parametrize("end", CONTENT)
def test_other_dots_are_content(end: bytes) -> None:
    for pieces in cuts(ENVELOPE + b"body" + end + SMUGGLED):
        ((_, content),) = asyncio.run(converse(pieces, [3, 3])).messages
        assert content == b"body" + end + SMUGGLED.removesuffix(b".\r\n")


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\0", b"\r\r\n", b"\n\r"])
def test_commands_end_in_one_way(end: bytes) -> None:
    for pieces in cuts(ENVELOPE.removesuffix(b"DATA\r\n") + b"NOOP" + end + SMUGGLED):
        heard = asyncio.run(converse(pieces, [3, 3]))
        assert not heard.messages
        assert heard.replies.endswith(
            (b"521 5.5.2 Bare CR or LF in a command\r\n", b"521 5.5.2 NUL in a command\r\n")
        )
