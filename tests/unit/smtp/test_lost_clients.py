"""A client that is lost at any byte ends its session without an error of adc, and without a message."""

from __future__ import annotations

import asyncio

import pytest

from tests.kit.smtp_memory import converse

CONVERSATION = b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<refused@d>\r\nRCPT TO:<c@d>\r\nDATA\r\nbody\r\n.\r\n"


@pytest.mark.parametrize("pause", range(4))
def test_client_is_lost_at_any_byte(pause: int) -> None:
    for end in range(len(CONVERSATION)):
        heard = asyncio.run(converse([CONVERSATION[:end]], [pause], lost=True))
        assert not heard.messages


@pytest.mark.parametrize("pause", range(12))
def test_client_is_lost_behind_a_message(pause: int) -> None:
    """The member may have it already; what counts is that nothing fails."""
    heard = asyncio.run(converse([CONVERSATION], [pause], lost=True))
    assert len(heard.messages) <= 1
