"""Any split of a member's replies into segments gives the replies of the whole."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adc.smtp.conversation import Conversation
from adc.smtp.member_protocol import MemberProtocol
from adc.smtp.replies import Reply

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=12)
CODES = st.sampled_from([200, 250, 251, 334, 354, 450, 452, 500, 550, 599])
CUTS = st.lists(st.integers(0, 60), max_size=6)


@st.composite
def replies(draw: st.DrawFn) -> bytes:
    code, lines = draw(CODES), draw(st.lists(TEXTS, min_size=1, max_size=4))
    end = draw(st.sampled_from([b"\r\n", b"\n"]))
    marks = [*["-"] * (len(lines) - 1), " "]
    return b"".join(f"{code}{mark}{line}".encode() + end for mark, line in zip(marks, lines, strict=True))


class Member(asyncio.Transport):
    """Sends the next replies, one for each write, in the pieces that `cuts` makes."""

    def __init__(self, protocol: MemberProtocol, told: list[bytes], cuts: list[int]) -> None:
        super().__init__()
        self._protocol = protocol
        self._told = told
        self._cuts = cuts

    def write(self, data: Any) -> None:
        told = self._told.pop(0)
        places = sorted({cut % (len(told) + 1) for cut in self._cuts})
        for start, end in zip([0, *places], [*places, len(told)], strict=True):
            if start < end:
                asyncio.get_running_loop().call_soon(self._protocol.data_received, told[start:end])

    def is_closing(self) -> bool:
        return False


async def heard(told: list[bytes], cuts: list[int]) -> list[Reply]:
    protocol = MemberProtocol(asyncio.get_running_loop())
    protocol.connection_made(Member(protocol, list(told), cuts))
    protocol.data_received(b"220 member\r\n")
    talk = Conversation(protocol, 5.0)
    await protocol.read_response(5.0)
    return [await talk.command("NOOP") for _ in told]


@given(st.lists(replies(), min_size=1, max_size=4), CUTS)
@settings(max_examples=200, deadline=None)
def test_segments_do_not_change_replies(told: list[bytes], cuts: list[int]) -> None:
    whole = asyncio.run(heard(told, []))
    assert asyncio.run(heard(told, cuts)) == whole
    assert asyncio.run(heard(told, list(range(60)))) == whole
    assert [each.status for each in whole] == [int(each[:3]) for each in told]
    assert all(b"\r" not in line for each in whole for line in each.wire().split(b"\r\n"))
