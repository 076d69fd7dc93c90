"""Content in any charset, cut anywhere, is converted as if it came whole."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from adc_plugins.charset.charsets import UTF_8, find
from adc_plugins.charset.conversion import Aims, Conversion
from adc_plugins.charset.forms import Forms
from adc_plugins.charset.prescan import Kind, declarations, rewritten
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = (
    "euc-kr",
    "shift_jis",
    "euc-jp",
    "iso-2022-jp",
    "gb18030",
    "gbk",
    "big5",
    "windows-1252",
    "windows-1251",
    "koi8-r",
    "iso-8859-15",
    "utf-8",
    "utf-16le",
    "utf-16be",
    "iso-2022-kr",
    "hz-gb-2312",
)
TARGETS = ("utf-8", "euc-kr", "iso-2022-jp", "windows-1252")
LANGUAGES = st.sampled_from(["html", "json", "text"])
POLICIES = st.sampled_from(["replace", "pass"])
MARKUP = b"""<meta charset=euc-kr>|<?xml version='1.0' encoding='koi8-r'?>|@charset "big5";|</head>|<body>|<!--|-->|>
|<meta http-equiv=content-type content='text/html; charset=gbk'|abc |~{|~}""".split(b"|")
CONTROL = [
    b"\x1b$B",
    b"\x1b(B",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\x81",
    b"\x8f\xa2",
    b"\x810\x810",
    b"\0",
]
WORDS = [
    "가나다 안녕하세요 ".encode("cp949"),
    "日本語の".encode("cp932"),
    "語".encode("euc_jp"),
    "é€".encode(),
]
PIECES = st.sampled_from([*MARKUP, *CONTROL, *WORDS])
CONTENT = st.lists(PIECES | st.binary(max_size=6), max_size=20).map(b"".join)
CUTS = st.lists(st.integers(0, 200), max_size=12)


def converted(conversion: Conversion, content: bytes, cuts: list[int]) -> bytes:
    places = sorted({min(cut, len(content)) for cut in cuts})
    output = b""
    for start, end in zip([0, *places], [*places, len(content)], strict=True):
        output += conversion.feed(content[start:end], False)
    return output + conversion.feed(b"", True)


@settings(max_examples=500)
@given(
    st.sampled_from(TARGETS),
    st.none() | st.sampled_from(NAMES),
    st.sampled_from(["html", "xml", "css", "text"]),
    LANGUAGES,
    POLICIES,
    CONTENT,
    CUTS,
)
def test_cuts_do_not_change_the_result(
    target, declared, kind: Kind, language, policy, content: bytes, cuts: list[int]
) -> None:
    aims = Aims(find(target), policy, find("windows-1252"), True)

    def fresh() -> Conversion:
        return Conversion(aims, None if declared is None else find(declared), kind, language)

    assert converted(fresh(), content, cuts) == fresh().feed(content, True)


PAGES = {
    "euc-kr": "안녕하세요. 게시판 목록입니다. 똠방각하 펲시콜라 <p>",
    "shift_jis": "こんにちは。表示ソース 十能 <p>ｱｲｳ",
    "euc-jp": "こんにちは。表示ソース 十能 <p>丂",
    "iso-2022-jp": "こんにちは。world 世界 <p>",
    "gb18030": "欢迎来到论坛 𠀀€ 繁體 <p>",
    "big5": "歡迎來到論壇 功許蓋 <p>",
    "koi8-r": "Добро пожаловать <p>",
    "windows-1252": "déjà vu – €",
    "utf-16le": "안녕 déjà 😀",
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("size", range(1, 8))
def test_every_byte_border_of_a_page(name: str, size: int) -> None:
    text = "<html><head><title>x</title></head>" + PAGES[name] * 3
    source = find(name)
    assert source is not None
    content = text.encode(source.codec)
    conversion = Conversion(Aims(UTF_8, "fail", UTF_8, True), source, "html", "html")
    chunks = [content[at : at + size] for at in range(0, len(content), size)]
    output = b"".join([conversion.feed(chunk, False) for chunk in chunks]) + conversion.feed(b"", True)
    assert output.decode() == text


@pytest.mark.parametrize("name", PAGES)
def test_both_halves_of_every_split(name: str) -> None:
    source = find(name)
    assert source is not None
    content = PAGES[name].encode(source.codec)
    for at in range(len(content) + 1):
        conversion = Conversion(Aims(UTF_8, "fail", UTF_8, True), source, "text", "text")
        output = conversion.feed(content[:at], False) + conversion.feed(content[at:], True)
        assert output.decode() == PAGES[name]


@given(CONTENT, st.sampled_from(["html", "xml", "css"]))
def test_rewritten_declarations_all_name_the_new_charset(content: bytes, kind: Kind) -> None:
    made = rewritten(kind, content, b"utf-8")
    assert {declared.label for declared in declarations(kind, made)} <= {b"utf-8"}
    assert len(declarations(kind, made)) == len(declarations(kind, content))


@given(st.lists(st.text(st.characters(codec="cp949"), min_size=1), max_size=5), st.binary(max_size=30))
def test_forms_survive_the_way_back(values: list[str], noise: bytes) -> None:
    fields = [(f"f{number}", value) for number, value in enumerate(values)]
    converted = Forms(find("euc-kr")).content(
        b"application/x-www-form-urlencoded", urlencode(fields).encode()
    )
    assert parse_qsl(converted.decode(), encoding="cp949", keep_blank_values=True) == fields
    Forms(find("shift_jis")).content(b"multipart/form-data; boundary=b", b"--b\r\n" + noise)
