"""Mutation fuzzing of targets, hosts, cookies and queries.

`python -m tests.fuzz.fuzz_target [iterations] [seed]` runs as long as you like;
`test_fuzz_target.py` does so for a moment.
"""

from __future__ import annotations

import sys
from random import Random

from adc.http.cookies import MAX_COOKIES, parse_cookies
from adc.http.headers import Headers
from adc.http.query import MAX_FIELDS, parse_query
from adc.http.target import BadHost, BadTarget, normalise_path, parse_host, split_absolute, split_target

SEEDS = (
    "/index.html?a=1&b=2",
    "/a/%2e%2e/b/./c//d?x",
    "/..;/%2f%5c%00%c0%af|\\",
    "http://user@Example.com:80/a?b#c",
    "[2001:db8::1]:443",
    "www.example.com.:8080",
    'a=1; b="2"; c; =d; a=3',
    "q=%EA%B0%80+x&q&=&%zz=1;2",
)
SPICE = ("//", "..", "%", "%2e", "%00", "%2F", "\\", "\r\n", "\x00", "é", "[", *'/;?#:@"=&')


def mutated(text: str, chance: Random) -> str:
    """`text` with one to five pieces inserted, removed, repeated or replaced."""
    for _ in range(chance.randint(1, 5)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.randint(0, 6))
        piece = chance.choice(("", chance.choice(SPICE), chr(chance.randrange(0x300)), text[start:end] * 2))
        text = text[:start] + piece + text[end:]
    return text


def check_target(text: str) -> None:
    try:
        target = split_target(text)
    except BadTarget:
        return
    assert target.path.startswith("/")
    assert target.path.isascii()
    assert normalise_path(target.path) == target.path
    assert not {"", ".", ".."} & set(target.path[1:].split("/")[:-1])
    assert not target.plain or target.path == text.partition("?")[0]


def check_absolute(text: str) -> None:
    try:
        scheme, _, rest = split_absolute(text)
    except BadTarget:
        return
    assert scheme in ("http", "https")
    assert rest.startswith("/")


def check_host(text: str) -> None:
    try:
        host = parse_host(text)
    except BadHost:
        return
    assert parse_host(host) == host
    assert not set(host) & set("/@?#% \r\n\x00")
    assert host.startswith("[") or ":" not in host


def check(text: str) -> None:
    """Whatever is read raises only what it declares, and what is accepted is in its normal form."""
    check_target(text)
    check_absolute(text)
    check_host(text)
    cookies = parse_cookies(Headers([(b"Cookie", text.encode("utf-8", "replace"))]))
    assert len(cookies) <= MAX_COOKIES
    assert all(";" not in value for value in cookies.values())
    assert sum(map(len, parse_query(text).values())) <= MAX_FIELDS


def fuzz(iterations: int, seed: int) -> None:
    """Raises with the offending text and how to meet it again."""
    chance = Random(seed)
    texts = list(SEEDS)
    for iteration in range(iterations):
        text = mutated(chance.choice(texts), chance)
        try:
            check(text)
        except Exception as error:
            raise AssertionError(f"seed {seed}, iteration {iteration}: {text!r}") from error
        if len(text) < 200 and chance.random() < 0.05:
            texts.append(text)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    fuzz(given[0] if given else 200_000, given[1] if len(given) > 1 else 0)
