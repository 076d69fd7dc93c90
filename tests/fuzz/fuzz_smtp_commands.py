"""Mutation fuzzing of whole conversations of mail clients: commands, content and what is smuggled between them.

`python -m tests.fuzz.fuzz_smtp_commands [iterations] [seed]` runs as long as you like; `test_fuzz_smtp.py` does so for
a moment.
"""

from __future__ import annotations

import asyncio
import re
import sys
from random import Random

from tests.kit.smtp_memory import Heard, converse

MESSAGE = b"MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nSubject: a\r\n\r\nbody\r\n..dot\r\n.\r\n"
CONVERSATIONS = (
    b"EHLO c\r\n" + MESSAGE + MESSAGE + b"QUIT\r\n",
    b"EHLO c\r\nMAIL FROM:<> SIZE=10 BODY=8BITMIME\r\nRCPT TO:<refused@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\nRSET\r\n"
    + MESSAGE,
    b"HELO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nbody\r\n\0.\r\nMAIL FROM:<evil@x>\r\n.\r\n"
    + MESSAGE,
    b"EHLO c\r\nAUTH PLAIN\r\nAGFubgBzZWNyZXQ=\r\nAUTH LOGIN\r\n*\r\nSTARTTLS\r\nNOOP\r\n" + MESSAGE,
)
SPICE = (
    b"\r\n", b"\r", b"\n", b".", b"\r\n.\r\n", b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n\0.\r\n", b"\0", b" ",
    b"\t", b"\x0b", b"\xc2\x85", b"\xff", b"<", b">", b'"', b"\\", b"DATA\r\n", b"RSET\r\n", b"x" * 3000, b"x" * 13_000,
)  # fmt: skip
_FINAL = re.compile(rb"5[0-9]{2} [^\r]*")


def mutated(data: bytes, chance: Random) -> bytes:
    """`data` with up to four pieces inserted, removed, repeated or replaced."""
    for _ in range(chance.randint(0, 4)):
        start = chance.randint(0, len(data))
        end = min(len(data), start + chance.randint(0, 8))
        piece = chance.choice((b"", chance.choice(SPICE), chance.choice(SPICE), data[start:end] * 2))
        data = data[:start] + piece + data[end:]
    return data


def heard(data: bytes, chance: Random | None) -> Heard:
    """What comes of `data`, in pieces by `chance`, or whole."""
    pieces = [data]
    if chance is not None:
        places = sorted(chance.randint(0, len(data)) for _ in range(chance.randint(1, 30)))
        pieces = [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]
    pauses = [] if chance is None else [chance.randint(0, 3) for _ in pieces]
    return asyncio.run(converse(pieces, pauses, size_limit=20_000, line_limit=998, error_limit=30))


def check(data: bytes, chance: Random) -> int:
    """Hold one conversation whole and in pieces; return the number of accepted messages.

    The reason of a refusal may differ: of two faults in a message, the one that is read first is named.
    """
    whole, cut = heard(data, None), heard(data, chance)
    assert whole.messages == cut.messages
    assert _FINAL.sub(b"5xx", whole.replies) == _FINAL.sub(b"5xx", cut.replies), (whole, cut)
    for envelope, content in whole.messages:
        assert not any(set(command) & set(map(chr, range(32))) for command in envelope)
        assert b"." not in re.split(rb"\r\n|\r|\n", content)
        assert content.count(b"\r\n") == content.count(b"\r") == content.count(b"\n")
        assert b"\0" not in content
    assert all(re.fullmatch(rb"[2345][0-9]{2}[ -].*", line) for line in whole.replies[:-2].split(b"\r\n"))
    return len(whole.messages)


def fuzz(iterations: int, seed: int) -> int:
    """Run; returns how many messages were accepted."""
    chance = Random(seed)
    return sum(check(mutated(chance.choice(CONVERSATIONS), chance), chance) for _ in range(iterations))


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]] + [100_000, 0][len(sys.argv) - 1 :]
    print(fuzz(*numbers[:2]))
