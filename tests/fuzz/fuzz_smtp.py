"""Mutation fuzzing of what a mail client sends: content in any pieces, and arguments of MAIL and RCPT.

`python -m tests.fuzz.fuzz_smtp [iterations] [seed]` runs as long as you like; `test_fuzz_smtp.py` does so for a moment.
"""

from __future__ import annotations

import sys
from random import Random

from adc.smtp import parameters as params
from adc.smtp.content import BadContent, ContentScanner
from adc.smtp.hops import HopCounter
from adc.smtp.path import parse_recipient, parse_sender, split_path

CONTENT = (
    b"Subject: a\r\n\r\nbody\r\n..dot\r\n.\r\nMAIL FROM:<a@b>\r\n",
    b"Received: x\r\n y\r\nreceived: z\r\n\r\n" + b"x" * 900 + b"\r\n.\r\n",
    b".\r\nQUIT\r\n",
)
ARGUMENTS = (
    'FROM:<"a b\\" c"@example.com> SIZE=10 BODY=8BITMIME SMTPUTF8',
    "FROM:<@relay.test:user+tag@xn--bcher-kva.test> RET=HDRS ENVID=a+20b",
    "FROM:<é@bücher.test>",
    "FROM:<>",
    "FROM:user@[192.0.2.1]",
)
SPICE = (
    "\r\n",
    "\r",
    "\n",
    ".",
    "\r\n.\r\n",
    "\n.\n",
    "\0",
    "<",
    ">",
    '"',
    "\\",
    "@",
    " ",
    "=",
    "é",
    "\udcff",
    "-",
    "A" * 70,
)
ALL = frozenset((*params.MAIL.values(), *params.RCPT.values()))


def mutated(text: str, chance: Random) -> str:
    """`text` with up to five pieces inserted, removed, repeated or replaced."""
    for _ in range(chance.randint(0, 5)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.randint(0, 6))
        piece = chance.choice(("", chance.choice(SPICE), text[start:end] * 2))
        text = text[:start] + piece + text[end:]
    return text


def check_content(data: bytes, chance: Random) -> bool:
    """Read `data` in pieces; True if a message ended. A reader that takes any line end sees no other end in it."""
    scanner, hops, passed, taken = ContentScanner(5000, 998), HopCounter(5), b"", 0
    try:
        while not scanner.ended and taken < len(data):
            count = chance.randint(1, 60)
            piece = scanner.feed(data[taken : taken + count])
            taken += count
            passed += piece
            if hops.in_header:
                hops.feed(piece)
    except BadContent:
        return False
    assert b"." not in passed.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    assert passed.count(b"\r\n") == passed.count(b"\r") == passed.count(b"\n")
    if scanner.ended:
        assert passed + b".\r\n" + scanner.rest + data[taken:] == data
    return scanner.ended


def check_argument(argument: str) -> bool:
    """Read an argument; True if it is one. What a member would get reads as the same mailbox."""
    parts = split_path(argument, "FROM:")
    sender = parse_sender(parts[0]) if parts else None
    if parts is None or sender is None:
        return False
    assert parse_sender(f"<{sender.address}>") == sender
    assert sender.address == "" or parse_recipient(f"<{sender.address}>") == sender
    assert not set(sender.address) & set("\r\n\0<") or sender.local.startswith('"')
    try:
        found = params.parse_parameters(parts[1], params.MAIL, ALL)
    except params.BadParameters:
        return False
    assert params.spelled(found, params.MAIL, ALL).isprintable()
    return True


def fuzz(iterations: int, seed: int) -> int:
    """Run; returns how many inputs were accepted."""
    chance = Random(seed)
    accepted = 0
    for _ in range(iterations):
        content = mutated(chance.choice(CONTENT).decode(), chance).encode("utf-8", "surrogateescape")
        accepted += check_content(content, chance)
        accepted += check_argument(mutated(chance.choice(ARGUMENTS), chance))
    return accepted


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]] + [1_000_000, 0][len(sys.argv) - 1 :]
    print(f"{fuzz(*numbers[:2])} of {2 * numbers[0]} inputs were accepted")
