"""Rules of `html_rewrite`: what they change, and that nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest
from adc_plugins.html_rewrite.plugin import HtmlRewrite

from adc.plugin.testkit import OptionErrors, Outcome, Trial, answer, request


def exchanged(
    body: str | bytes, options: dict[str, Any], content_type: str = "text/html", **fields: str
) -> Outcome:
    content = body.encode() if isinstance(body, str) else body
    headers = {
        "Content-Type": content_type,
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    return Trial(HtmlRewrite, options).run(request(target="/a/b.html"), answer(headers=headers, body=content))


def rewritten(body: str, *rules: dict[str, Any]) -> str:
    return exchanged(body, {"rules": list(rules)}).body.decode()


@pytest.mark.parametrize(
    ("select", "selected"),
    [
        ("p", "p"),
        ("P", "p"),
        ("*", "p"),
        ("#i", "p"),
        (".c", "p"),
        (".c.d", "p"),
        ("p.d#i", "p"),
        ("[title]", "p"),
        ('[title="x y"]', "p"),
        ("[title=x]", ""),
        ("[title~=y]", "p"),
        ("[title^='x ']", "p"),
        ('[title$="y"]', "p"),
        ("[title*=' ']", "p"),
        ("[title='X Y' i]", "p"),
        ("[lang|=en]", "p"),
        ("[LANG=EN-gb]", "p"),
        ("p:not(.c)", ""),
        ("p:not(.e):not([hidden])", "p"),
        ("i", ""),
        ("i, p", "p"),
        ("div p", "p"),
        ("div > p", ""),
        ("section>p", "p"),
        ("body > div > section p", "p"),
        ("body > section p", ""),
        ("html p", "p"),
        ("div#a.b > section > p", "p"),
        ("span p", ""),
    ],
)
def test_selector_selects(select: str, selected: str) -> None:
    head = "<body><span>x</span><div id=a class=b><section>"
    body = "<p id=i class='c d' title='x y' lang=en-GB>x</p>"
    made = rewritten(head + body + "</section></div>", {"select": select, "set": {"x": "1"}})
    assert ("<p x=" in made) is bool(selected)


@pytest.mark.parametrize(
    "select", ["p:hover", "a + b", "a ~ b", "", "a,", "a >", "> a", "[a", "a b]", "::before", "a:not(b"]
)
def test_selector_that_cannot_be_decided_is_refused(select: str) -> None:
    with pytest.raises(OptionErrors, match="selector"):
        Trial(HtmlRewrite, {"rules": [{"select": select, "remove": True}]})


@pytest.mark.parametrize(
    ("body", "rule", "expected"),
    [
        ("<a>", {"set": {"b": "1"}}, '<a b="1">'),
        ("<a b=2 c>", {"set": {"b": "1"}}, '<a b="1" c>'),
        ("<a b = '2'c>", {"set": {"b": "1"}}, '<a b="1" c>'),
        ("<a b>", {"set": {"b": "1"}}, '<a b="1">'),
        ("<a B=2 b=3>", {"set": {"b": "1"}}, '<a B="1" b=3>'),
        ("<a c=d/>", {"set": {"b": "\"&<>'가"}}, '<a b="&quot;&amp;&lt;&gt;\'&#44032;" c=d/>'),
        ("<a\nb='x>y'\n>", {"set": {"c": ""}}, "<a c=\"\"\nb='x>y'\n>"),
        ("<a b=1 c=2>", {"remove_attributes": ["b"]}, "<a  c=2>"),
        ("<a x='1'b='2'c='3'>", {"remove_attributes": ["B"]}, "<a x='1'c='3'>"),
        ("<a/b>", {"remove_attributes": ["b"]}, "<a/ >"),
        ("<a>", {"remove_attributes": ["b"]}, "<a>"),
        ("<a>x</a>", {"before": "1", "prepend": "2", "append": "3", "after": "4"}, "1<a>2x3</a>4"),
        ("<a>x<i>y</i></a>z", {"html": "<b>1</b>"}, "<a><b>1</b></a>z"),
        ("<a>x</a>", {"text": "1 < 2 & 3"}, "<a>1 &lt; 2 &amp; 3</a>"),
        ("<a>x<a>y</a></a>", {"unwrap": True}, "xy"),
        ("a<a>x<i>y</i></a>b", {"remove": True}, "ab"),
        ("a<a>x</a>b", {"remove": True, "before": "1", "after": "2"}, "a12b"),
        ("a<a>x</a>b", {"unwrap": True, "before": "1", "after": "2", "append": "3"}, "a1x32b"),
        ("x<a>y", {"append": "1"}, "x<a>y1"),
        ("x<a>y", {"remove": True}, "x"),
    ],
)
def test_rule_changes_an_element(body: str, rule: dict[str, Any], expected: str) -> None:
    assert rewritten(body, {"select": "a", **rule}) == expected


def test_element_without_content_is_changed() -> None:
    assert rewritten("<img src=a>x", {"select": "img", "remove": True}) == "x"
    assert rewritten("<br>", {"select": "br", "before": "1", "after": "2", "append": "no"}) == "1<br>2"


def test_rules_apply_in_their_order() -> None:
    rules = (
        {"select": "a", "set": {"b": "1"}, "before": "1"},
        {"select": "a", "set": {"b": "2"}, "before": "2"},
    )
    assert rewritten("<a>x</a>", *rules) == '12<a b="2">x</a>'


@pytest.mark.parametrize(
    ("body", "select", "expected"),
    [
        ("<ul><li>a<li class=x>b<li>c</ul>d", "li.x", "<ul><li>a<li>c</ul>d"),
        ("<p class=x>a<p>b", "p.x", "<p>b"),
        ("<p class=x>a<div>b</div>", ".x", "<div>b</div>"),
        ("<dl><dt>a<dd class=x>b<dt>c</dl>", ".x", "<dl><dt>a<dt>c</dl>"),
        ("<table><tr class=x><td>a<td>b<tr><td>c</table>", ".x", "<table><tr><td>c</table>"),
        ("<table><tr><td class=x>a<table><tr><td>b</table><td>c</table>", ".x", "<table><tr><td>c</table>"),
        ("<select><option class=x>a<option>b</select>", ".x", "<select><option>b</select>"),
        ("<div><p class=x>a</div>b", ".x", "<div></div>b"),
        ("<div class=x><div>a</div>b</div>c", ".x", "c"),
        ("<div class=x><ul><li><div></ul>a</div>b", ".x", "b"),
        ("<b><p class=x>a</b>b</p>c", ".x", "<b></b>c"),
        ("<div class=x><table><tr><td></div>a</table>b</div>c", ".x", "c"),
        ("<script class=x></p></script>a", ".x", "a"),
        ("<svg class=x><path/><p>a</svg>b", ".x", "<p>a</svg>b"),
        ("<svg><g class='x'/><g>a</g></svg>", ".x", "<svg><g>a</g></svg>"),
        ("<svg><foreignObject class=x><p>a</p></foreignObject>b</svg>", ".x", "<svg>b</svg>"),
    ],
)
def test_end_of_an_element_is_where_the_parser_puts_it(body: str, select: str, expected: str) -> None:
    assert rewritten(body, {"select": select, "remove": True}) == expected


@pytest.mark.parametrize(
    "body",
    [
        "<!-- <a> --><!--> -->x<!--a--!>",
        "<script><!-- <a> --></script><script>'<a>'</script><style><a></style>",
        "<textarea><a></textarea><title><a></title><xmp><a></xmp><iframe><a></iframe>",
        "<script><!--<script></script><a></script>",
        "<svg><![CDATA[<a>]]></svg><!DOCTYPE <a></ <a><? <a>",
        "<i title='<a>' b=\"<a>\" c=<a d><i a=<a>",
        "<plaintext><a>",
        "< a></ a><1><>",
        "<A" + " x" * 3 + "",
    ],
)
def test_text_that_looks_like_a_tag_is_left_alone(body: str) -> None:
    assert rewritten(body, {"select": "a", "remove": True}) == body


def test_cdata_in_html_is_no_section() -> None:
    assert rewritten("<![CDATA[x]]><a>", {"select": "a", "before": "1"}) == "<![CDATA[x]]>1<a>"
    assert rewritten("<![CDATA[><a>]]>", {"select": "a", "before": "1"}) == "<![CDATA[>1<a>]]>"


def test_style_in_svg_holds_elements() -> None:
    assert (
        rewritten("<svg><style><a>x</a></style></svg>", {"select": "a", "remove": True})
        == "<svg><style></style></svg>"
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "<html><head><title>t</title></head><body>x</body></html>",
            "<html><head>1<title>t</title>2</head><body>3x4</body></html>",
        ),
        (
            "<!DOCTYPE html>\n<title>t</title>\n<p>x",
            "<!DOCTYPE html>\n<head>1<title>t</title>\n2<body>3<p>x4",
        ),
        ("x", "<head>12<body>3x4"),
        (
            "<!-- c --> <body class=a>x</body>\n</html>\n",
            "<!-- c --> <head>12<body class=a>3x4</body>\n</html>\n",
        ),
        ("<head></head> x", "<head>12</head> <body>3x4"),
        ("<head><noscript><img></noscript><meta>x", "<head>1<noscript><img></noscript><meta>2<body>3x4"),
        ("<head><template><p>x</template><body>", "<head>1<template><p>x</template>2<body>34"),
        ("<head>", "<head>12"),
        ("<p>a<body class=b>c", "<head>12<body>3<p>a<body class=b>c4"),
    ],
)
def test_head_and_body_begin_where_the_parser_opens_them(body: str, expected: str) -> None:
    rules = (
        {"select": "head", "prepend": "1", "append": "2"},
        {"select": "body", "prepend": "3", "append": "4"},
    )
    assert rewritten(body, *rules) == expected


def test_implied_elements_are_not_written_without_a_rule() -> None:
    assert rewritten("<title>t</title>x", {"select": "body > i", "remove": True}) == "<title>t</title>x"
    assert (
        rewritten("<title>t</title>x<i>y</i>", {"select": "html > body > i", "remove": True})
        == "<title>t</title>x"
    )


def test_banner_is_in_front_of_the_body() -> None:
    assert (
        exchanged("<body id=a>x", {"banner": "<div>가</div>"}).body.decode()
        == "<body id=a><div>&#44032;</div>x"
    )


def test_inserted_text_is_in_the_encoding_of_the_document() -> None:
    options = {"banner": "<b>가\u263a</b>"}
    made = exchanged("나".encode("cp949"), options, "text/html; charset=EUC-KR").body
    assert made == "<body><b>가&#9786;</b>나".encode("cp949")
    assert exchanged(b"x", options, "text/html; charset=utf-8").body == "<body><b>가\u263a</b>x".encode()


def test_legacy_bytes_pass_unchanged() -> None:
    body = "<a title='가나'>ソ表\\</a>".encode("shift_jis", "replace") + b"\xff\xfe\x80<a b=\xb0\xa1>"
    made = exchanged(
        body, {"rules": [{"select": "a", "set": {"c": "1"}}]}, "text/html; charset=shift_jis"
    ).body
    assert made.replace(b' c="1"', b"") == body
    assert made.count(b' c="1"') == 2


@pytest.mark.parametrize(
    "content_type", ["text/html; charset=utf-16", "text/html; charset=ISO-2022-JP", "text/plain"]
)
def test_document_of_another_kind_is_left_alone(content_type: str) -> None:
    outcome = exchanged("<a>", {"rules": [{"select": "a", "remove": True}]}, content_type, ETag='"1"')
    assert (outcome.body, outcome.response.headers.get(b"etag")) == (b"<a>", b'"1"')


def test_document_with_a_mark_of_utf16_is_left_alone() -> None:
    body = b"\xff\xfe" + "<a>".encode("utf-16le")
    assert exchanged(body, {"rules": [{"select": "a", "remove": True}]}).body == body


def test_no_transform_is_respected() -> None:
    options = {"rules": [{"select": "a", "remove": True}]}
    assert exchanged("<a>", options, Cache_Control="no-transform").body == b"<a>"


def test_long_tag_passes_and_holds_its_place() -> None:
    long = "<div title='" + "x>" * 100_000 + "' class=a><i>y</i></div>z"
    assert rewritten(long, {"select": "div > i", "remove": True}) == long.replace("<i>y</i>", "")
    image = "<svg><image href='" + "x" * 200_000 + "'/><a/></svg>z"
    assert rewritten(image, {"select": "svg > a", "remove": True}) == image.replace("<a/>", "")
    assert rewritten(long, {"select": "div", "remove": True}) == long


def test_deep_documents_are_changed_at_their_start_tags() -> None:
    body = "<div>" * 1000 + "<i>x</i>" + "</div>" * 1000 + "<i>y</i>"
    made = rewritten(body, {"select": "i", "set": {"a": "1"}, "remove_attributes": ["b"]})
    assert made == body.replace("<i>", '<i a="1">')
    assert rewritten(body, {"select": "i", "append": "1"}).endswith("<i>y1</i>")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({}, "at least one of rules, links, csp_nonce and banner"),
        ({"rules": [{"select": "a"}]}, "a rule needs a change"),
        (
            {"rules": [{"select": "a", "remove": True, "unwrap": True}]},
            "remove and unwrap exclude each other",
        ),
        ({"rules": [{"select": "a", "set": {"a b": "1"}}]}, "'a b' is not the name of an attribute"),
        ({"links": {"move": {"intranet": "/"}}}, "'intranet' is neither a URL"),
        ({"csp_policy": "x", "banner": "x"}, "csp_policy needs csp_nonce: true"),
        ({"csp_policy": "x\r\ny: z", "csp_nonce": True}, "only printable ASCII characters"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], error: str) -> None:
    with pytest.raises(OptionErrors, match=error):
        Trial(HtmlRewrite, options)
