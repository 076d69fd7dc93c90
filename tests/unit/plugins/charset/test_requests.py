from __future__ import annotations

from typing import Any
from urllib.parse import quote, quote_plus

from adc_plugins.charset.plugin import CharsetPlugin

from adc.plugin.testkit import Outcome, Trial, request

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=----b1"


def received(
    target: str = "/",
    content: bytes = b"",
    content_type: str = FORM,
    *,
    fields: dict[str, str] | None = None,
    **options: Any,
) -> Outcome:
    trial = Trial(CharsetPlugin, {"from": "euc-kr", "requests": True, **options})
    head = request("POST", target, {"Content-Type": content_type, **(fields or {})})
    return trial.run(head, body=content)


def test_query_becomes_legacy() -> None:
    outcome = received(f"/search?q={quote('게시판 a+b')}&x=%41")
    assert outcome.request.target == f"/search?q={quote('게시판'.encode('cp949'))}%20a%2Bb&x=%41"
    assert outcome.request.query == outcome.request.target.partition("?")[2]


def test_query_that_is_not_utf_8_stays() -> None:
    target = f"/search?q={quote('게시판'.encode('cp949'))}&r={quote('a게'.encode('cp949'))}"
    assert received(target).request.target == target


def test_each_value_is_judged_by_itself() -> None:
    legacy, utf_8 = quote("짠".encode("cp949")), quote("게")
    outcome = received(f"/?a=%B0%A1{legacy}&b={utf_8}")
    assert outcome.request.target == f"/?a=%B0%A1{legacy}&b={quote('게'.encode('cp949'))}"


def test_path_becomes_legacy_on_request_only() -> None:
    target = f"/{quote('게시판')}/x%20y"
    assert received(target).request.target == target
    outcome = received(target, paths=True)
    assert outcome.request.target == f"/{quote('게시판'.encode('cp949'))}/x%20y"
    assert outcome.request.path == outcome.request.target


def test_urlencoded_form_becomes_legacy() -> None:
    content = f"name={quote_plus('홍길동 님')}&_charset_=UTF-8&empty=&x={quote_plus('é')}".encode()
    outcome = received(content=content, content_type=f"{FORM}; charset=UTF-8")
    expected = f"name={quote_plus('홍길동 님'.encode('cp949'))}&_charset_=euc-kr&empty=&x=%26%23233%3B"
    assert outcome.request_body == expected.encode()
    assert outcome.request.headers.get(b"content-type") == f"{FORM}; charset=euc-kr".encode()


def multipart(name: str, value: bytes, codec: str, charset: str) -> bytes:
    lines = [
        b"------b1",
        b'Content-Disposition: form-data; name="%b"' % name.encode(codec),
        b"",
        value,
        b"------b1",
        b'Content-Disposition: form-data; name="file"; filename="%b.txt"' % name.encode(codec),
        b"Content-Type: text/plain",
        b"",
        "게시판 raw".encode() + b"\xff\r\n",
        b"------b1",
        b'Content-Disposition: form-data; name="_charset_"',
        b"",
        charset.encode(),
        b"------b1--",
        b"",
    ]
    return b"\r\n".join(lines)


def test_multipart_form_becomes_legacy_but_its_files_stay() -> None:
    outcome = received(content=multipart("제목", "내용 é".encode(), "utf-8", "UTF-8"), content_type=MULTIPART)
    assert outcome.request_body == multipart("제목", "내용 &#233;".encode("cp949"), "cp949", "euc-kr")


def test_multipart_value_that_is_not_utf_8_stays() -> None:
    content = multipart("a", b"\xb0\xa1\xff", "ascii", "euc-kr")
    assert received(content=content, content_type=MULTIPART).request_body == content


def test_other_content_stays() -> None:
    content = "게".encode()
    assert received(content=content, content_type="text/plain").request_body == content
    assert received(content=content, fields={"Content-Encoding": "gzip"}).request_body == content


def test_nothing_is_converted_unless_asked_for() -> None:
    trial = Trial(CharsetPlugin)
    head = request("POST", f"/?q={quote('게')}", {"Content-Type": FORM, "Accept-Charset": "euc-kr"})
    outcome = trial.run(head, body=quote("게").encode())
    assert outcome.request_body == quote("게").encode()
    assert outcome.request.target == f"/?q={quote('게')}"
    assert b"accept-charset" not in outcome.request.headers


def test_form_over_the_limit_is_413() -> None:
    assert received(content=b"a=" + b"x" * 2000, form_limit="1KB").response.status == 413


def test_charset_of_requests_may_be_named_alone() -> None:
    trial = Trial(CharsetPlugin, {"requests": "shift_jis"})
    outcome = trial.run(request("GET", f"/?q={quote('表')}"))
    assert outcome.request.target == "/?q=%95%5C"
