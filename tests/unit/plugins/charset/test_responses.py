from __future__ import annotations

from typing import Any

import pytest
from adc_plugins.charset.plugin import CharsetPlugin

from adc.plugin.testkit import OptionErrors, Outcome, Trial, answer, request

KOREAN = "안녕하세요. 게시판에 오신 것을 환영합니다. 글을 쓰려면 로그인 하십시오."
RUSSIAN = "Добро пожаловать на форум. Чтобы писать сообщения, войдите."


def sent(
    content: bytes, content_type: str = "text/html", *, fields: dict[str, str] | None = None, **options: Any
) -> Outcome:
    trial = Trial(CharsetPlugin, {key.rstrip("_"): value for key, value in options.items()})
    return trial.run(
        request(), answer(headers={"Content-Type": content_type, **(fields or {})}, body=content)
    )


def content_type(outcome: Outcome) -> bytes | None:
    return outcome.response.headers.get(b"content-type")


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("euc-kr", KOREAN + "똠방각하"),
        ("cp949", KOREAN),
        ("ks_c_5601-1987", KOREAN),
        ("Shift_JIS", "こんにちは、世界。ｱｲｳ①"),
        ("euc-jp", "こんにちは、世界。①～"),
        ("iso-2022-jp", "こんにちは world 世界。①"),
        ("gb2312", "欢迎来到论坛"),
        ("gb18030", "欢迎来到论坛 𠀀 €"),
        ("big5", "歡迎來到論壇"),
        ("latin1", "déjà vu – “€”"),
        ("windows-1250", "Příliš žluťoučký kůň"),
        ("koi8-r", RUSSIAN),
        ("iso-8859-15", "œuvre €"),
        ("utf-16le", "déjà vu"),
        ("hz-gb-2312", "欢迎"),
    ],
)
def test_content_in_the_charset_of_its_head_becomes_utf_8(label: str, text: str) -> None:
    codec = {
        "euc-kr": "cp949",
        "ks_c_5601-1987": "cp949",
        "Shift_JIS": "cp932",
        "latin1": "cp1252",
        "hz-gb-2312": "hz",
    }.get(label, label)
    special = {"①": b"\xad\xa1", "～": b"\xa1\xc1"} if label == "euc-jp" else {}
    special |= {"①": b"\x1b$B-!\x1b(B"} if label == "iso-2022-jp" else {}
    encoded = (
        b"".join(special.get(letter) or letter.encode(codec) for letter in text)
        if special
        else text.encode(codec)
    )
    outcome = sent(encoded, f"text/html; charset={label}")
    assert outcome.body.decode() == text
    assert content_type(outcome) == b"text/html; charset=utf-8"


@pytest.mark.parametrize(
    "page",
    [
        '<html><head><meta charset="{}"><title>게시판</title></head>',
        "<html><head><meta charset={}><title>게시판</title></head>",
        "<!-- <meta charset=koi8-r> --><META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset={}'>게시판",
        "<meta content='text/html;charset={}' http-equiv=content-type>게시판",
        "<title>" + "x" * 1500 + "</title><meta charset={}></head><body>게시판",
        "<?xml version='1.0' encoding='{}'?><html>게시판",
        "<a title='<meta charset=koi8-r>'><meta name=charset content='charset=koi8-r'><meta charset={}>게시판",
        "<meta charset=nonsense><meta charset={}>게시판",
    ],
)
def test_declaration_in_html_counts_and_is_rewritten(page: str) -> None:
    outcome = sent(page.format("EUC-KR").encode("cp949"))
    assert outcome.body.decode() == page.replace("nonsense", "utf-8").format("utf-8")
    assert content_type(outcome) == b"text/html; charset=utf-8"


def test_field_counts_more_than_the_document() -> None:
    outcome = sent("<meta charset=koi8-r>게시판".encode("cp949"), 'Text/HTML; Charset="euc-kr"; level=1')
    assert outcome.body.decode() == "<meta charset=utf-8>게시판"
    assert content_type(outcome) == b"Text/HTML; charset=utf-8; level=1"


def test_byte_order_mark_counts_more_than_the_field() -> None:
    assert (
        sent(b"\xef\xbb\xbfd\xc3\xa9j\xc3\xa0", "text/html; charset=koi8-r").body
        == b"\xef\xbb\xbfd\xc3\xa9j\xc3\xa0"
    )
    assert sent("\ufeffdéjà".encode("utf-16-be"), "text/html; charset=koi8-r").body.decode() == "déjà"


def test_declared_utf_16_in_meta_means_utf_8() -> None:
    assert sent("<meta charset=utf-16>déjà".encode()).body.decode() == "<meta charset=utf-16>déjà"


@pytest.mark.parametrize("kind", ["application/xml", "text/xml", "application/rss+xml", "image/svg+xml"])
def test_xml_declaration_counts_and_is_rewritten(kind: str) -> None:
    outcome = sent('<?xml version="1.0" encoding="EUC-KR" standalone="yes"?><글/>'.encode("cp949"), kind)
    assert outcome.body.decode() == '<?xml version="1.0" encoding="utf-8" standalone="yes"?><글/>'
    assert content_type(outcome) == f"{kind}; charset=utf-8".encode()


def test_css_declaration_counts_and_is_rewritten() -> None:
    outcome = sent('@charset "euc-kr";\n.a { content: "가" }'.encode("cp949"), "text/css")
    assert outcome.body.decode() == '@charset "utf-8";\n.a { content: "가" }'


def test_json_without_charset_gets_none() -> None:
    outcome = sent(f'{{"a": "{KOREAN}"}}'.encode("cp949"), "application/json")
    assert (outcome.body.decode(), content_type(outcome)) == (f'{{"a": "{KOREAN}"}}', b"application/json")
    outcome = sent('{"a": "가"}'.encode("cp949"), "application/json;charset=euc-kr")
    assert (outcome.body.decode(), content_type(outcome)) == (
        '{"a": "가"}',
        b"application/json; charset=utf-8",
    )


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (KOREAN, "cp949"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "cp1251"),
        ("こんにちは。掲示板へようこそ。", "cp932"),
        ("こんにちは。掲示板へようこそ。書き込みにはログインしてください。", "euc-jp"),
        ("こんにちは。掲示板へ", "iso2022_jp"),
        ("欢迎来到论坛，请先登录后再发表帖子。新闻 体育 财经", "gb18030"),
        ("歡迎來到論壇，請先登入後再發表文章。新聞 體育 財經", "big5"),
        ("Le café est à côté de la forêt", "cp1252"),
        ("café", "cp1252"),
        (KOREAN, "utf-8"),
    ],
)
@pytest.mark.parametrize("before", ["", "<p>" + "x" * 20_000])
def test_content_that_declares_nothing_is_detected(text: str, codec: str, before: str) -> None:
    outcome = sent((before + text).encode(codec))
    assert outcome.body.decode() == before + text


def test_without_detection_the_fallback_counts() -> None:
    assert sent("가나다".encode("cp949"), detect=False, fallback="euc-kr").body.decode() == "가나다"
    assert sent(b"caf\xe9", detect=False).body.decode() == "café"


def test_forced_charset_counts_more_than_declarations() -> None:
    outcome = sent(
        "<meta charset=utf-8>게시판".encode("cp949"), "text/html; charset=iso-8859-1", from_="euc-kr"
    )
    assert outcome.body.decode() == "<meta charset=utf-8>게시판"


def test_content_without_text_passes() -> None:
    content = b"PK\x03\x04\x80\x00\x00\xff" * 1000
    assert sent(content, "text/plain").body == content


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("text/html; charset=UTF-8", {}),
        ("image/png", {}),
        ("text/event-stream", {}),
        ("text/html; charset=euc-kr", {"Cache-Control": "no-transform"}),
    ],
)
def test_other_responses_stay_as_they_are(kind: str, fields: dict[str, str]) -> None:
    outcome = sent(b"\xb0\xa1", kind, fields={"Vary": "Accept-Charset", **fields})
    assert (outcome.body, content_type(outcome)) == (b"\xb0\xa1", kind.encode())
    assert outcome.response.headers.get(b"vary") == b"Accept-Charset"


def test_vary_loses_accept_charset() -> None:
    fields = {"Vary": "Cookie, Accept-Charset"}
    outcome = sent(b"x", fields=fields)
    assert outcome.response.headers.get(b"vary") == b"Cookie"
    assert sent(b"x", fields={"Vary": "accept-charset"}).response.headers.get(b"vary") is None


def test_undecodable_bytes_are_replaced_passed_or_fail() -> None:
    content = "가".encode("cp949") + b"\xff<\xb0"
    kind = "text/html; charset=euc-kr"
    trial = Trial(CharsetPlugin)
    outcome = trial.run(request(), answer(headers={"Content-Type": kind}, body=content))
    assert outcome.body.decode() == "가\ufffd<\ufffd"
    assert (trial.counters, len(outcome.messages)) == ({"undecodable": 1}, 1)
    assert sent(content, kind, undecodable="pass").body == "가".encode() + b"\xff<\xb0"
    failed = sent(content, kind, undecodable="fail")
    assert (failed.response.status, failed.stopped) == (502, True)
    assert sent(content[:2], kind, undecodable="fail").body.decode() == "가"


def test_markup_after_a_broken_character_is_not_swallowed() -> None:
    for label in ("euc-kr", "shift_jis", "euc-jp", "gbk", "big5"):
        outcome = sent(b"\xb0<script>\x81\x22>", f"text/html; charset={label}")
        assert b"<script>" in outcome.body, label
        assert b'"' in outcome.body, label


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("text/html", "가 – 😀", "가 &#8211; &#128512;"),
        ("application/xml", "é", "&#233;"),
        ("application/json", '"é😀"', '"\\u00e9\\ud83d\\ude00"'),
        ("text/plain", "가é", "가?"),
    ],
)
def test_characters_that_a_legacy_charset_lacks_are_escaped(kind: str, text: str, expected: str) -> None:
    outcome = sent(text.encode(), f"{kind}; charset=utf-8", to="euc-kr")
    assert outcome.body.decode("cp949") == expected
    assert content_type(outcome) == f"{kind}; charset=euc-kr".encode()


def test_stateful_charset_ends_in_ascii() -> None:
    outcome = sent("<meta charset=utf-8>こん</b>é".encode(), to="iso-2022-jp")
    assert outcome.body == b"<meta charset=iso-2022-jp>\x1b$B$3$s\x1b(B</b>&#233;"
    assert sent("こん".encode(), "text/plain; charset=utf-8", to="iso-2022-jp").body.endswith(b"\x1b(B")


def test_head_request_gets_the_head_of_a_get() -> None:
    head = answer(headers={"Content-Type": "text/html; charset=euc-kr"})
    outcome = Trial(CharsetPlugin).run(request("HEAD"), head)
    assert content_type(outcome) == b"text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "klingon"}, "unknown charset 'klingon'"),
        ({"to": "auto"}, "`auto` is for `from` only"),
        ({"to": "utf-16"}, "use utf-8"),
        ({"from": "utf8"}, "both utf-8"),
        ({"requests": True}, "needs `from`"),
        ({"requests": "klingon"}, "unknown charset"),
        ({"paths": True}, "needs `requests`"),
        ({"undecodable": "drop"}, "'replace', 'pass' or 'fail'"),
    ],
)
def test_options_that_contradict_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionErrors, match=message):
        Trial(CharsetPlugin, options)
