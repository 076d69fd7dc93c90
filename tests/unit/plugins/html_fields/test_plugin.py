from __future__ import annotations

import json
from typing import Any

import pytest
from adc_plugins.html_fields.plugin import HtmlFields

from adc.plugin.testkit import OptionErrors, Outcome, Trial, request

BAD = "<b>x</b><script>alert(1)</script>"
FORM = "application/x-www-form-urlencoded"


def posted(
    body: bytes, content_type: str = FORM, options: dict[str, Any] | None = None, **fields: str
) -> Outcome:
    headers = {
        "Content-Type": content_type,
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    return Trial(HtmlFields, options).run(request("POST", "/a", headers), body=body)


def part(name: str, content: bytes, *, more: str = "", fields: str = "") -> bytes:
    return (
        f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n{fields}\r\n'.encode()
        + content
        + b"\r\n"
    )


def multipart(*parts: bytes, options: dict[str, Any] | None = None) -> Outcome:
    return posted(b"".join(parts) + b"--b--\r\n", "multipart/form-data; boundary=b", options)


def test_field_is_sanitised_and_all_others_stay_byte_for_byte() -> None:
    outcome = posted(b"a=%41+&b=%3Cb%3Ex%3C%2Fb%3E%3Cscript%3Ey%3C/script%3E&c=%c0%ff&&d")
    assert outcome.request_body == b"a=%41+&b=%3Cb%3Ex%3C%2Fb%3E&c=%c0%ff&&d"
    assert outcome.messages[0]["fields"] == "'b'"


@pytest.mark.parametrize(
    "value",
    [b"a%20%26+b+%3C+c", b"1+%3C2", b"%3Cb%3Ex%3C/b%3E", b"%3Cp+TITLE%3Dx%3E%26amp%3B", b"&lt;script>", b""],
)
def test_text_and_allowed_html_stay_byte_for_byte(value: bytes) -> None:
    options = {"attributes": {"p": ["title"]}}
    assert posted(b"a=" + value, options=options).request_body == b"a=" + value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<p onclick=x>y", "<p>y</p>"),
        ("<a href='javascript:x'>y</a>", "<a>y</a>"),
        ("<a href='JaVa\tscript:x'>y</a>", "<a>y</a>"),
        ("x<!-- y -->", "x"),
        ("if a<b and c", "if a&lt;b and c"),
        ("<img src=x onerror=y ", "&lt;img src=x onerror=y "),
        ("<img alt='", "&lt;img alt='"),
        ("<!-- x", "&lt;!-- x"),
        ("x<", "x&lt;"),
        ("<svg></p><style><a id='</style><img src=x onerror=y>'>", '<p></p><img src="x">\'&gt;'),
    ],
)
def test_html_that_is_not_allowed_is_removed(value: str, expected: str) -> None:
    outcome = posted(json.dumps({"a": value}).encode(), "application/json")
    assert json.loads(outcome.request_body or b"") == {"a": expected}


def test_allow_lists_are_configurable() -> None:
    options = {"tags": ["i"], "attributes": {"*": ["class"]}, "fields": ["a"]}
    body = b"a=%3Ci+class%3Dx+id%3Dy%3Ez%3C/i%3E%3Cb%3Ew&b=%3Cscript%3E"
    made = posted(body, options=options).request_body
    assert made == b"a=%3Ci+class%3D%22x%22%3Ez%3C%2Fi%3Ew&b=%3Cscript%3E"


def test_no_tag_may_be_allowed() -> None:
    assert posted(b"a=%3Cb%3Ex", options={"tags": []}).request_body == b"a=x"


@pytest.mark.parametrize("name", ["a", "a[]", "a[x]", "a%5B%5D"])
def test_named_fields_include_their_lists(name: str) -> None:
    made = posted(f"{name}=%3Cscript%3Ex".encode(), options={"fields": ["a"], "tags": ["b"]}).request_body
    assert made == f"{name}=%26lt%3Bscript%26gt%3Bx".encode()


SCRIPT = "%3Cscript%3Ey%3C/script%3E"


def got(target: str, **options: Any) -> Outcome:
    return Trial(HtmlFields, {"query": True, **options}).run(request("GET", target))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"a=%41+&b=x{SCRIPT}&c=%c0%ff&&d", "a=%41+&b=x&c=%c0%ff&&d"),
        (f"a=1;b=x{SCRIPT};c=2", "a=1;b=x;c=2"),
        (f"x{SCRIPT}", "x"),
        ("a=%3ci+onclick=y%3ex", "a=%3Ci%3Ex%3C%2Fi%3E"),
        ("a=<img/src=x", "a=%26lt%3Bimg%2Fsrc%3Dx"),
        ("a=1+%3C2&b=%3Cb%3Ex%3C/b%3E", "a=1+%3C2&b=%3Cb%3Ex%3C/b%3E"),
    ],
)
def test_query_is_sanitised_and_its_other_fields_stay_byte_for_byte(query: str, expected: str) -> None:
    assert got(f"/a?{query}").request.target == f"/a?{expected}"


def test_query_stays_without_the_option() -> None:
    assert got(f"/a?a={SCRIPT}", query=False).request.target == f"/a?a={SCRIPT}"


def test_query_is_rejected_reported_and_limited_to_named_fields() -> None:
    assert got(f"/a?a={SCRIPT}", on_html="reject").response.status == 400
    assert not got("/a?a=%3Cb%3Ex%3C/b%3E", on_html="reject").stopped
    reported = got(f"/a?a={SCRIPT}", on_html="report")
    assert (reported.stopped, reported.request.target) == (False, f"/a?a={SCRIPT}")
    assert reported.messages[0]["fields"] == "'a'"
    assert got(f"/a?a={SCRIPT}&b={SCRIPT}", fields=["a"]).request.target == f"/a?a=&b={SCRIPT}"
    assert got(f"/a?a=1;b={SCRIPT}", fields=["b"]).request.target == "/a?a=1;b="


def test_query_that_is_not_in_its_charset_or_too_large_is_refused() -> None:
    assert got("/a?a=%3Cb%ff").response.status == 400
    assert got("/a?" + "a&" * 1001).response.status == 400
    assert got("/a?a=%3Ci%3E" + "x" * 100, max_html=50).response.status == 413
    outcome = got("/a?a=%3Cx%3E%b0%a1", charset="euc-kr")
    assert outcome.request.query == "a=%B0%A1"


def test_reject_answers_400_and_passes_allowed_html() -> None:
    options = {"on_html": "reject"}
    assert posted(b"a=%3Cscript%3Ex%3C/script%3E", options=options).response.status == 400
    assert posted(b"a=%3Cb%3Ex", options=options).request_body == b"a=%3Cb%3Ex"


def test_report_changes_nothing() -> None:
    body = b"a=%3Cscript%3Ex%3C/script%3E"
    outcome = posted(body, options={"on_html": "report"})
    assert (outcome.request_body, len(outcome.messages)) == (body, 1)


def test_charset_of_the_form_is_used() -> None:
    value = "<i>가</i><u onclick=x>나</u>".encode("cp949")
    body = b"a=" + b"".join(b"%%%02X" % byte for byte in value)
    made = posted(body, FORM + "; charset=euc-kr").request_body or b""
    assert made.endswith(b"%3Cu%3E%B3%AA%3C%2Fu%3E")
    assert posted(body, options={"charset": "euc-kr"}).request_body == made
    assert posted(body).response.status == 400


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "image/png", ""])
def test_other_content_passes(content_type: str) -> None:
    assert posted(b"<script>", content_type).request_body == b"<script>"


def test_coded_form_is_refused() -> None:
    assert posted(b"a=b", Content_Encoding="gzip").response.status == 400


def test_more_html_than_is_checked_gets_413() -> None:
    assert posted(b"a=" + b"%3Cb%3E" * 100, options={"max_html": "50B"}).response.status == 413
    assert posted(b"a=" + b"x" * 100, options={"max_html": "50B", "max_size": "60B"}).response.status == 413


def test_field_of_multipart_is_sanitised_and_files_stay() -> None:
    file = part("f", BAD.encode(), more='; filename="a.html"', fields="Content-Type: text/html\r\n")
    outcome = multipart(part("a", b"\xff\r\n"), file, part("c", BAD.encode()), part("d", b""))
    assert (
        outcome.request_body
        == part("a", b"\xff\r\n") + file + part("c", b"<b>x</b>") + part("d", b"") + b"--b--\r\n"
    )


def test_preamble_and_epilogue_stay() -> None:
    body = b"before\r\n" + part("a", BAD.encode()) + b"--b--\r\nafter"
    made = posted(body, 'multipart/form-data; boundary="b"').request_body
    assert made == b"before\r\n" + part("a", b"<b>x</b>") + b"--b--\r\nafter"


def test_charset_of_a_part_and_of_the_charset_field_are_used() -> None:
    value = "<u onclick=x>나</u>".encode("cp949")
    clean = "<u>나</u>".encode("cp949")
    typed = "Content-Type: text/plain; charset=euc-kr\r\n"
    assert (
        multipart(part("a", value, fields=typed)).request_body
        == part("a", clean, fields=typed) + b"--b--\r\n"
    )
    named = part("_charset_", b"EUC-KR")
    assert multipart(part("a", value), named).request_body == part("a", clean) + named + b"--b--\r\n"
    assert multipart(part("a", value)).response.status == 400


def test_sanitised_value_cannot_form_a_boundary() -> None:
    assert multipart(part("a", b"x\r\n--<script></script>b--")).response.status == 400
    assert multipart(part("a", b"--<script></script>b")).response.status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b--\r\n"[:3],
        b"x",
        part("a", b"x"),
        part("a", b"x") + b"--bc\r\n",
        b"--b\r\nContent-Disposition: form-data; name=a\r\n--b--\r\n",
        b"--b\r\n\r\nx\r\n--b--\r\n",
        b"--b\nContent-Disposition: form-data; name=a\n\nx\n--b--\n",
        part("a", b"x", more='; name="b"') + b"--b--",
        part("a", b"x", more="; filename=\"a\"; filename*=UTF-8''b") + b"--b--",
        part("a", b"x", fields='Content-Disposition: form-data; name="c"\r\n') + b"--b--",
        part("a", b"x", fields="Content-Transfer-Encoding: base64\r\n") + b"--b--",
        part("a", b"x", fields=" folded\r\n") + b"--b--",
        part("a", b"x", fields="a: b\nc: d\r\n") + b"--b--",
        b"--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="a\r\n\r\nx\r\n--b--\r\n',
        part("a", b"x", fields="Content-Type: text/plain; charset=utf-16\r\n") + b"--b--",
    ],
)
def test_malformed_multipart_is_refused(body: bytes) -> None:
    if body:
        assert posted(body, "multipart/form-data; boundary=b").response.status == 400


@pytest.mark.parametrize("parameters", ["", "; boundary=", "; boundary=b; boundary=c", '; boundary="b'])
def test_malformed_boundary_is_refused(parameters: str) -> None:
    assert posted(part("a", b"x") + b"--b--", "multipart/form-data" + parameters).response.status == 400


def test_empty_form_of_parts_passes() -> None:
    assert posted(b"--b--\r\n", "multipart/form-data; boundary=b").request_body == b"--b--\r\n"


def test_strings_of_json_are_sanitised_and_all_else_stays() -> None:
    body = '{"a": 1.0e5, "b": {"c": ["x", "<script>y</script>가", {"d": "\\u003Ci id=x\\u003Ez"}]}, "<b>": true} '
    made = posted(body.encode(), "application/vnd.x+json; charset=utf-8").request_body
    expected = '{"a": 1.0e5, "b": {"c": ["x", "가", {"d": "<i>z</i>"}]}, "<b>": true} '
    assert made == expected.encode()


@pytest.mark.parametrize(("field", "changed"), [("b.c", True), ("b.c.d", False), ("b", False), ("e", False)])
def test_strings_of_json_are_named_by_their_keys(field: str, changed: bool) -> None:
    body = b'{"b": {"x": {"c": 1}, "c": [["<script>y</script>"]]}, "e": [1, {"d": 2}, "a"]}'
    made = posted(body, "application/json", {"fields": [field]}).request_body
    assert (made != body) is changed


def test_large_json_with_html_gets_413() -> None:
    padding = " " * (2 << 20)
    assert posted(f'["<b>"]{padding}'.encode(), "application/json").response.status == 413
    assert posted(f'["b"]{padding}'.encode(), "application/json").response.status == 200


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'{"a": "\xc0"}', b"[" * 200 + b'"<b>"' + b"]" * 200, b"", b"a=<script>"]
)
def test_malformed_json_is_refused(body: bytes) -> None:
    if body:
        assert posted(body, "application/json").response.status == 400


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"on_html": "drop"}, "'sanitize', 'reject' or 'report'"),
        ({"tags": ["B"]}, "'B' is not a name in lower case"),
        ({"tags": ["b"], "attributes": {"i": ["class"]}}, "attributes of 'i', which is not among the tags"),
        ({"charset": "utf-16"}, "'utf-16' is not a charset of forms"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], error: str) -> None:
    with pytest.raises(OptionErrors, match=error):
        Trial(HtmlFields, options)
