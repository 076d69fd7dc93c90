"""Mutation fuzzing of the fields a cache reads: Cache-Control, targeted fields, Range, entity tags, Vary.

`python -m tests.fuzz.fuzz_cache_control [iterations] [seed]` runs as long as you like;
`test_fuzz_cache_control.py` does so for a moment.
"""

from __future__ import annotations

import sys
from random import Random

from adc.cache.directives import response_directives
from adc.cache.vary import normal_value, vary_names
from adc.http.cache_control import MAX_SECONDS, parse_cache_control
from adc.http.headers import Headers
from adc.http.preconditions import none_match_fails
from adc.http.ranges import UnsatisfiableError, parse_content_range, parse_range

SEEDS = (
    b'max-age=60, s-maxage="5", private="set-cookie, a", no-cache',
    b'no-store, ext="a, \\"b\\", c", stale-while-revalidate=30',
    b"max-age=60;p=1, a=(1 2);q, b=:aGk=:, c=?0, d=1.5",
    b"bytes=0-1, 5-, -3",
    b"bytes 0-4/10",
    b'"a", W/"b", *',
    b"gzip;q=0.5, br, *;q=0",
)
SPICE = (
    b'"',
    b"\\",
    b",",
    b"=",
    b";",
    b" ",
    b"\t",
    b"-",
    b"99999999999999999999",
    b"\xff",
    b"\0",
    b"*",
    b"(",
)


def mutated(text: bytes, chance: Random) -> bytes:
    """`text` with one to five pieces inserted, removed, repeated or replaced."""
    for _ in range(chance.randint(1, 5)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.randint(0, 6))
        piece = chance.choice(
            (b"", chance.choice(SPICE), bytes([chance.randrange(256)]), text[start:end] * 2)
        )
        text = text[:start] + piece + text[end:]
    return text


def check(text: bytes) -> None:
    """Nothing raises but what is declared, and numbers stay within their limits."""
    for control in (
        parse_cache_control([text]),
        response_directives(Headers([(b"CDN-Cache-Control", text)]), (b"cdn-cache-control",)).control,
    ):
        for name in control.values:
            assert 0 <= (control.seconds(name) or 0) <= MAX_SECONDS
            assert control.forbids(name) is (name not in control.listed)
    guarded = parse_cache_control([text, b"no-store"])
    assert "no-store" in guarded
    try:
        ranges = parse_range(text, 10)
    except UnsatisfiableError:
        ranges = None
    assert all(0 <= item.first <= item.last < 10 for item in ranges or ())
    part = parse_content_range(text)
    assert part is None or part.first <= part.last
    none_match_fails(text, b'"a"')
    vary_names(Headers([(b"Vary", text)]))
    value = normal_value(b"accept-encoding", [text])
    assert value is not None
    assert normal_value(b"accept-encoding", [value]) == value


def fuzz(iterations: int, seed: int) -> None:
    """Check `iterations` mutations; the same seed tries the same ones."""
    chance = Random(seed)
    for _ in range(iterations):
        text = mutated(chance.choice(SEEDS), chance)
        try:
            check(text)
        except Exception:
            print(f"seed {seed}: {text!r}", file=sys.stderr)
            raise


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    fuzz(numbers[0] if numbers else 1_000_000, numbers[1] if numbers[1:] else 0)
