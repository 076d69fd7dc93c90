"""Pieces of values that transformations and operators look at, and values made of them."""

from __future__ import annotations

from random import Random

PIECES = (
    *(
        b"\\",
        b"u0041",
        b"uff1c",
        b"x4",
        b"x41",
        b"0",
        b"7",
        b"77",
        b"377",
        b"400",
        b"n",
        b"a",
        b"\\u0041",
        b"\\x41",
    ),
    *(
        b"%",
        b"%41",
        b"%u",
        b"%u0127",
        b"%u00e9",
        b"%uff1c",
        b"%UFF1F",
        b"%u2039",
        b"%uac3c",
        b"+",
        b"=",
        b"==",
        b"-",
    ),
    *(
        b"&",
        b"&lt;",
        b"&lt",
        b"&amp;",
        b"&#",
        b"&#x",
        b"41;",
        b"&#60",
        b"&#xffffffffffffffffff;",
        b"&nbsp;",
        b"quot",
    ),
    *(
        b" ",
        b"  ",
        b"\t",
        b"\n",
        b"\v",
        b"\f",
        b"\r",
        b"\x00",
        b"\xa0",
        b"\xc2\xa0",
        b"\x85",
        b";",
        b",",
        b"(",
        b"'",
    ),
    *(
        b"/",
        b"//",
        b".",
        b"..",
        b"/../",
        b"/./",
        b"\\\\",
        b"b",
        b"C",
        b'"',
        b"^",
        b"_",
        b"YWJj",
        b"Zg",
        b"YW\nJj",
    ),
    *(
        b"/*",
        b"*/",
        b"*",
        b"<!--",
        b"-->",
        b"--",
        b">",
        b"#",
        b"0x",
        b"0x41",
        b"0X4142",
        b"ff1c",
        b"0000ff1c ",
        b"f\n",
    ),
    *(
        b"\xc3\xa9",
        b"\xc3",
        b"\xe2\x80\xb9",
        b"\xe2\x80",
        b"\xed\xa0\x80",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xff",
        b"\x80",
    ),
    *(
        b"\xf0\x9f\x98\x80",
        b"\xf0\x80\x80\xaf",
        b"\xf5\x80\x80\x80",
        b"\xf5",
        b"select",
        b"union",
        b"or 1=1",
        b"<script",
    ),
)


def value(chance: Random) -> bytes:
    """Return a value of a few pieces, of dots and slashes, or of any bytes."""
    kind = chance.random()
    if kind < 0.7:
        return b"".join(chance.choice(PIECES) for _ in range(chance.randint(0, 7)))
    if kind < 0.85:
        return bytes(chance.choice(b"./\\ab") for _ in range(chance.randint(0, 12)))
    return bytes(chance.randrange(256) for _ in range(chance.randint(0, 8)))
