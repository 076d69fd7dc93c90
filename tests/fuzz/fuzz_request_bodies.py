"""Mutation fuzzing of the firewall's readers: multipart, JSON, forms and cookies.

`python -m tests.fuzz.fuzz_request_bodies [iterations] [seed]` runs as long as you like;
`test_fuzz_request_bodies.py` does so for a moment.
"""

from __future__ import annotations

import json
import sys
from random import Random
from urllib.parse import parse_qsl

from adc_plugins.waf.bodies.json_document import parse_json
from adc_plugins.waf.bodies.multipart.parse import parse_multipart
from adc_plugins.waf.bodies.parsed import Limits
from adc_plugins.waf.bodies.processor import parse_body
from adc_plugins.waf.bodies.urlencoded import parse_arguments
from adc_plugins.waf.collect.cookies import parse_cookies

LIMITS = Limits()
TYPE = b"multipart/form-data; boundary=B"
PARTS = (
    b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--B\r\nContent-Disposition: form-data; name="f"; filename="x"\r\nX: y\r\n z\r\n\r\nhello\r\n--B--\r\n'
)
SEEDS = {
    "multipart": (PARTS, PARTS.replace(b"\r\n", b"\n")),
    "json": (
        b'{"a":{"b":[1,"x",null,true,-0.5e9]},"a":"\\u0041\\n\\ud83d"}',
        b'["\xea\xb0\x80",{"":[]}]',
        b'"x"',
    ),
    "form": (b"a=1&b=%41+c&&=d;e=%zz", b"%u0041=%"),
    "cookies": (b'a=1; b="2;3"; c; =d;;', b" \t=; ;"),
}
SPICE = (
    *(
        b"--B",
        b"--B--",
        b"--",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b'"',
        b"'",
        b"\\",
        b";",
        b":",
        b"=",
        b"%",
        b"&",
    ),
    *(
        b'; name="c"',
        b"; filename*=UTF-8''d",
        b"Content-Disposition: form-data",
        b" ",
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
    ),
    *(b"\\u", b"NaN", b"1e999", b"\xef\xbb\xbf", b"+", b"\x0b"),
)


def mutated(content: bytes, chance: Random) -> bytes:
    """Return `content` with one to five pieces inserted, removed, repeated or replaced."""
    for _ in range(chance.randint(1, 5)):
        start = chance.randint(0, len(content))
        end = min(len(content), start + chance.randint(0, 9))
        piece = chance.choice((b"", chance.choice(SPICE), content[start:end] * 2))
        content = content[:start] + piece + content[end:]
    return content


def check_multipart(content: bytes) -> None:
    """Every value lies in the body, and a body without flags is what its parts give when written again."""
    body = parse_multipart(content, TYPE, LIMITS)
    values = [value for _, value in body.arguments] + [file.content for file in body.files]
    assert all(value in content for value in values)
    if not (body.error or body.unfinished or body.scalars):
        assert content.startswith(b"--B\r\n")
        assert content.rstrip(b"\r\n").endswith(b"--B--")
        assert len(values) == content.count(b"--B\r\n")


def check_json(content: bytes) -> None:
    """Only documents of the standard library's decoder are accepted, and all their strings are shown."""
    body = parse_json(content, b"", LIMITS)
    if not (body.error or body.unfinished):
        json.loads(content.decode())
    quoted = content.count(b'"') // 2
    assert not quoted or body.arguments or content.lstrip()[:1] in b"[{"


def check_form(content: bytes) -> None:
    """Pairs with a name or value are those that the standard library reads."""
    pairs = [pair for pair in parse_arguments(content, LIMITS) if pair != (b"", b"")]
    expected = parse_qsl(content.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    assert pairs == [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in expected if name or value
    ]


def check_cookies(content: bytes) -> None:
    """No byte of a header is lost but separators and space."""
    cookies = parse_cookies([content])
    lost = bytes.maketrans(b"", b"")
    shown = b"".join(name + value for name, value in cookies).translate(lost, b" \t\n\v\f\r=;")
    assert shown == content.translate(lost, b" \t\n\v\f\r=;")


CHECKS = {
    "multipart": check_multipart,
    "json": check_json,
    "form": check_form,
    "cookies": check_cookies,
}


def check_any(content: bytes) -> None:
    """No processor raises, whatever it is given."""
    for processor in ("MULTIPART", "JSON", "URLENCODED", "XML", "", "OTHER"):
        body = parse_body(processor, content, content[:60], LIMITS)
        if body.document is not None:
            body.document.select("/*", ())
            body.document.select("//@*", ())


def fuzz(iterations: int, seed: int) -> None:
    """Raise with the offending content and how to meet it again."""
    chance = Random(seed)
    pools = {kind: list(seeds) for kind, seeds in SEEDS.items()}
    for iteration in range(iterations):
        kind = chance.choice(tuple(pools))
        content = mutated(chance.choice(pools[kind]), chance)
        try:
            CHECKS[kind](content)
            check_any(content)
        except Exception as error:
            raise AssertionError(f"seed {seed}, iteration {iteration}, {kind}: {content!r}") from error
        if len(content) < 400 and chance.random() < 0.05:
            pools[kind].append(content)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    fuzz(given[0] if given else 100_000, given[1] if len(given) > 1 else 0)
