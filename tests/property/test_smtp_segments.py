"""Any split of a mail client's bytes into segments gives the replies and the messages of the whole."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kit.smtp_memory import Heard, converse

ADDRESSES = st.sampled_from(
    ["a@b.test", '"a b"@b.test', "refused@b.test", "é@b.test", "u@[192.0.2.1]", "", "no"]
)
LINES = st.sampled_from(["", "..", "..x", "Received: x", "MAIL FROM:<a@b>", "x" * 70, "é", ".. ", " "])
COMMANDS = st.sampled_from(
    [
        "RSET",
        "NOOP x",
        "VRFY a",
        "EHLO d",
        "HELO d",
        "XCLIENT a",
        "",
        "AUTH PLAIN AGEAc2VjcmV0",
        "AUTH LOGIN YQ==\r\n*",
        "AUTH PLAIN\r\nAGEAYg==",
        "NOOP \t",
        "DATA",
    ]
)
CONTENT = st.lists(LINES, max_size=6).map(lambda lines: "".join(f"{line}\r\n" for line in lines) + ".\r\n")


@st.composite
def messages(draw: st.DrawFn) -> str:
    recipients = draw(st.lists(ADDRESSES, min_size=1, max_size=3))
    words = [f"MAIL FROM:<{draw(ADDRESSES)}> SMTPUTF8", *(f"RCPT TO:<{each}>" for each in recipients), "DATA"]
    return "".join(f"{word}\r\n" for word in words) + draw(CONTENT)


CONVERSATIONS = st.lists(messages() | COMMANDS.map(lambda command: f"{command}\r\n"), min_size=1, max_size=4)


def heard(data: bytes, cuts: list[int], pauses: list[int]) -> Heard:
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    pieces = [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]
    return asyncio.run(converse(pieces, pauses))


@given(CONVERSATIONS, st.lists(st.integers(0, 2000), max_size=12), st.lists(st.integers(0, 4), max_size=12))
@settings(max_examples=150, deadline=None)
def test_segments_do_not_change_a_conversation(
    conversation: list[str], cuts: list[int], pauses: list[int]
) -> None:
    data = "".join(["EHLO c\r\n", *conversation, "QUIT\r\n"]).encode()
    whole = heard(data, [], [])
    assert heard(data, cuts, pauses) == whole
    assert heard(data, list(range(len(data))), []) == whole
    assert whole.replies.startswith(b"220 ")
    assert all(line[:3].isdigit() for line in whole.replies.splitlines())
