"""Mutation fuzzing of what `charset` parses: content types, declarations in documents, content, forms.

`python -m tests.fuzz.fuzz_charset [iterations] [seed]` runs as long as you like;
`test_fuzz_charset.py` does so for a moment.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from random import Random

from adc_plugins.charset.charsets import Charset, find
from adc_plugins.charset.content_type import kind_of, label_of, language_of, with_label
from adc_plugins.charset.conversion import Aims, Conversion
from adc_plugins.charset.forms import Forms, is_form

SEEDS = (
    "<html><head><meta charset=euc-kr><title>안녕하세요</title></head><body>펲시".encode("cp949"),
    b"<!--x--><meta http-equiv='content-type' content=\"text/html; charset='gbk'\"><a b=c d='e' f>",
    "<?xml version='1.0' encoding=\"shift_jis\"?><a>表示ソース</a>".encode("cp932"),
    '@charset "koi8-r"; a { content: "да" }'.encode("koi8-r"),
    "\x1b$B$3$s\x1b(B world".encode("ascii"),
    "\ufeffdéjà".encode("utf-16-le"),
    b"a=%EA%B0%80&b=%B0%A1&_charset_=UTF-8&c=%F0%9F%98%80",
    b"\x1b$B$3$s\x1b(I\x1b$)C\x1b$123456789012345678",
    b"--b\r\nContent-Disposition: form-data; name=_charset_\r\n\r\nx\r\n--b\r\ncontent-type: text/plain\r\n\r\n",
    b'Text/HTML ; level=1;charset="euc-kr" ; x="a;charset=b"',
    b'multipart/form-data; boundary="b"; charset=utf-8',
)
TYPES = (b"text/html", b"application/xml", b"text/css", b"application/json", b"text/plain")
CHARSETS = tuple(
    filter(None, map(find, ("euc-kr", "shift_jis", "gbk", "iso-2022-jp", "koi8-r", "utf-16le", "big5")))
)
SPICE = (
    b"<",
    b">",
    b"'",
    b'"',
    b"=",
    b";",
    b"charset",
    b"<meta ",
    b"-->",
    b"\x1b",
    b"\r\n--b",
    b"%",
    b"\xff",
    b"\0",
    b" ",
)


def mutated(text: bytes, chance: Random) -> bytes:
    """`text` with one to five pieces inserted, removed, repeated or replaced."""
    for _ in range(chance.randint(1, 5)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.randint(0, 8))
        piece = chance.choice((b"", chance.choice(SPICE), chance.randbytes(2), text[start:end] * 2))
        text = text[:start] + piece + text[end:]
    return text


def check(text: bytes, chance: Random) -> None:
    """Nothing raises, what goes to clients is UTF-8, and cuts do not change it."""
    check_field(text)
    content_type = chance.choice(TYPES)
    declared = chance.choice((None, *CHARSETS))
    cuts = sorted(chance.randint(0, len(text)) for _ in range(chance.randint(0, 6)))
    made = [converted(text, cut, content_type, declared) for cut in ([], cuts)]
    assert made[0] == made[1]
    made[0].decode("utf-8")
    forms = Forms(chance.choice(CHARSETS))
    forms.content(b"application/x-www-form-urlencoded", text)
    forms.content(b"multipart/form-data; boundary=b", text)
    assert text.isascii() <= forms.path(text).isascii()


def check_field(text: bytes) -> None:
    """A field keeps its type, names the new charset, and gets no new line."""
    label_of(text)
    is_form(text)
    kind_of(text)
    language_of(text)
    labelled = with_label(text, b"utf-8")
    assert labelled.count(b"\n") <= text.count(b"\n")
    assert b"json" in text.lower() or label_of(labelled) == b"utf-8" or text.rstrip().endswith(b"\\"), (
        labelled
    )


def converted(text: bytes, cuts: list[int], content_type: bytes, declared: Charset | None) -> bytes:
    """Return `text` as UTF-8, given in chunks that end at `cuts`."""
    target, fallback = find("utf-8"), find("windows-1252")
    assert target is not None
    assert fallback is not None
    aims = Aims(target, "replace", fallback, True)
    conversion = Conversion(aims, declared, kind_of(content_type), language_of(content_type))
    places = [0, *cuts, len(text)]
    output = [conversion.feed(text[start:end], False) for start, end in pairwise(places)]
    output.append(conversion.feed(b"", True))
    if conversion.source is None or conversion.source == target or b"\0" in text:
        return b""  # passed unchanged: it said that it is UTF-8, or is no text
    return b"".join(output)


def fuzz(iterations: int, seed: int) -> None:
    """Check `iterations` mutations; the same seed tries the same ones."""
    chance = Random(seed)
    for _ in range(iterations):
        text = mutated(chance.choice(SEEDS), chance)
        try:
            check(text, chance)
        except Exception:
            print(f"seed {seed}: {text!r}", file=sys.stderr)
            raise


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    fuzz(numbers[0] if numbers else 1_000_000, numbers[1] if numbers[1:] else 0)
