"""Transformations: values before and after."""

from __future__ import annotations

import pytest
from adc_plugins.waf.transformations import TRANSFORMATIONS

CASES = [
    ("base64decode", b"YWJjZg==", b"abcf"),
    ("base64decode", b"YWJj\r\nZg==\n", b"abcf"),
    ("base64decode", b"not base64!", b"not base64!"),
    ("base64decodeext", b"Y-W Jj!Zg", b"abcf"),
    ("base64encode", b"abcf", b"YWJjZg=="),
    ("cmdline", b"C^at  ;,\t\"/etc\"/p'as'swd ( X", b"cat/etc/passwd( x"),
    ("compresswhitespace", b"a \t\r\n b\vc", b"a b c"),
    ("cssdecode", b"\\61 \\062\\00ff41 c\\\nd\\e\\ffff1c\\z\\", b"abacd\x0e\x1cz"),
    ("escapeseqdecode", rb"\x41\101\n\q\\\777" + b"\\", b"AA\nq\\\xff\\"),
    ("hexdecode", b"414z4", b"Ac"),
    ("hexencode", b"Az\xff", b"417aff"),
    ("htmlentitydecode", b"&lt;&LT&#60;&#x3c&#X3C;&nbsp;&copy;&#;&#x;&amp", b"<<<<<\xa0&copy;&#;&#x;&"),
    ("htmlentitydecode", b"&#99999999999999999999999;&ltx", b"\xff&ltx"),
    ("jsdecode", rb"\u0041\uFF1c\x41\101\477\n\q" + b"\\", b"A<AA'7\nq\\"),
    ("length", b"abc", b"3"),
    ("lowercase", b"ABC\xc3\x84", b"abc\xc3\x84"),
    ("uppercase", b"abc\xc3\xa4", b"ABC\xc3\xa4"),
    ("md5", b"", bytes.fromhex("d41d8cd98f00b204e9800998ecf8427e")),
    ("sha1", b"", bytes.fromhex("da39a3ee5e6b4b0d3255bfef95601890afd80709")),
    ("normalizepath", b"/a/./b//c/../d", b"/a/b/d"),
    ("normalizepath", b"../../etc/passwd", b"../../etc/passwd"),
    ("normalisepath", b"/../x/..", b""),
    ("normalizepathwin", rb"\a\..\b", b"/b"),
    ("parityeven7bit", b"\x01\x03", b"\x81\x03"),
    ("parityodd7bit", b"\x01\x03", b"\x01\x83"),
    ("parityzero7bit", b"\x81", b"\x01"),
    ("removecomments", b"a/*b*/c<!--d-->e", b"ace"),
    ("removecomments", b"a--b", b"a"),
    ("removecomments", b"a/*b", b"a "),
    ("removecommentschar", b"a/*b*/c--d#e<!--f-->", b"abcdef"),
    ("removenulls", b"a\x00b", b"ab"),
    ("removewhitespace", b"a \t\n\v\f\r\xc2\xa0b", b"ab"),
    ("replacecomments", b"a/*b*/c/*d", b"a c "),
    ("replacenulls", b"a\x00b", b"a b"),
    ("sqlhexdecode", b"x=0x4142 0X", b"x=AB 0X"),
    ("trim", b" \ta \n", b"a"),
    ("trimleft", b" a ", b"a "),
    ("trimright", b" a ", b" a"),
    ("urldecode", b"%41%4+%u0041%", b"A%4 %u0041%"),
    ("urldecodeuni", b"%41%u0041%uff1c%U2039%u+", b"AA<<%u "),
    ("urlencode", b"a b*\xff/", b"a+b*%ff%2f"),
    ("utf8tounicode", "aé\u2039😀".encode(), b"a%u00e9%u2039%u1f600"),
    ("utf8tounicode", b"\xc0\xaf\xc3(", b"%u002f\xc0("),
]


@pytest.mark.parametrize(("name", "value", "expected"), CASES)
def test_value_is_transformed(name: str, value: bytes, expected: bytes) -> None:
    assert TRANSFORMATIONS[name].apply(value) == expected


def test_every_transformation_has_a_case() -> None:
    assert {name for name, _, _ in CASES} | {"normalisepathwin"} == set(TRANSFORMATIONS)
