"""Mutation fuzzing of bodies with form fields: rewritten, or refused as declared, and read the same way afterwards.

`python -m tests.fuzz.fuzz_html_fields [iterations] [seed]` runs as long as you like; `test_fuzz_html.py` does so for a
moment.
"""

from __future__ import annotations

import sys
from random import Random

from adc_plugins.html_fields.fields import TooMuch, Unreadable
from adc_plugins.html_fields.json_fields import rewrite_json
from adc_plugins.html_fields.multipart import rewrite_multipart
from adc_plugins.html_fields.sanitiser import Sanitiser
from adc_plugins.html_fields.urlencoded import rewrite_urlencoded

SANITISER = Sanitiser({"b", "a"}, {"a": {"href"}}, {"https"})
PART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n<b>x<script>y</script>\r\n'
SEEDS = (
    PART + PART.replace(b'"a"', b'"f"; filename="g"') + b"--b--\r\n",
    PART.replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain; charset=euc-kr\r\n\r\n", 1) + b"--b--\r\n",
    b"a=%3Cb%3Ex&b=%3Cscript%3E&_charset_=utf-8&c=+%C0",
    b'{"a": ["<b>x</b>", {"c": "\\u003cscript\\u003e"}], "d": 1.0e5, "e": "\\\\"}',
)
SPICE = (
    b"<",
    b">",
    b"\r\n",
    b"--b",
    b"--",
    b'"',
    b"\\",
    b"=",
    b"&",
    b"%3C",
    b";",
    b"\0",
    b"\xff",
    b"{",
    b"]",
    b",",
    b"name=",
)


def mutated(body: bytes, chance: Random) -> bytes:
    """Return `body` with one to five pieces inserted, removed, repeated or replaced."""
    for _ in range(chance.randint(1, 5)):
        start = chance.randint(0, len(body))
        end = min(len(body), start + chance.randint(0, 8))
        piece = chance.choice((b"", chance.choice(SPICE), body[start:end] * 2, chance.choice(SEEDS)))
        body = body[:start] + piece + body[end:]
    return body


def sanitise(name: str, value: str) -> str | None:
    """Sanitise a field."""
    return SANITISER.sanitised(value)


def examine(body: bytes) -> None:
    """A body that was rewritten has nothing left to rewrite."""
    for rewrite in (
        lambda content: rewrite_multipart(content, b"multipart/form-data; boundary=b", "utf-8", sanitise),
        lambda content: rewrite_urlencoded(content, "utf-8", sanitise),
        lambda content: rewrite_json(content, sanitise),
    ):
        try:
            made = rewrite(body)
        except (Unreadable, TooMuch):
            continue
        if made is not None:
            assert rewrite(made) is None


def fuzz(iterations: int, seed: int) -> None:
    """Check `iterations` mutations; the same seed tries the same ones."""
    chance = Random(seed)
    for _ in range(iterations):
        body = mutated(chance.choice(SEEDS), chance)
        try:
            examine(body)
        except Exception:
            print(f"seed {seed}: {body!r}", file=sys.stderr)
            raise


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    fuzz(numbers[0] if numbers else 1_000_000, numbers[1] if numbers[1:] else 0)
