"""Links and nonces of `html_rewrite`."""

from __future__ import annotations

from typing import Any

import pytest
from adc_plugins.html_rewrite.link_places import changed_css, changed_set
from adc_plugins.html_rewrite.nonce import with_nonce
from adc_plugins.html_rewrite.plugin import HtmlRewrite

from adc.plugin.testkit import Trial, answer, request

MOVES = {
    "http://intranet/": "https://www.example.com/",
    "http://intranet/wiki": "https://wiki.example.com",
    "/app/": "/portal/app/",
    "//cdn.example:8080/a/": "/static/",
}


def linked(body: str, **links: Any) -> str:
    head = answer(headers={"Content-Type": "text/html"}, body=body.encode("utf-8", "surrogateescape"))
    asked = request(target="/a/b.html?q", host="www.example.com")
    return Trial(HtmlRewrite, {"links": links}).run(asked, head).body.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("link", "moved"),
    [
        ("http://intranet/x?y#z", "https://www.example.com/x?y#z"),
        ("HTTP://Intranet:80/x", "https://www.example.com/x"),
        ("http://intranet", "https://www.example.com/"),
        ("http://intranet?a", "https://www.example.com/?a"),
        ("//intranet/x", "https://www.example.com/x"),
        (" http://intranet/x ", "https://www.example.com/x"),
        ("http://intra&#110;et/x", "https://www.example.com/x"),
        ("http://intranet/?a=1&amp;b=2&copy=3", "https://www.example.com/?a=1&amp;b=2&amp;copy=3"),
        ("http://intranet/wiki/x", "https://wiki.example.com/x"),
        ("http://intranet/wiki", "https://wiki.example.com"),
        ("http://intranet/wikis", "https://www.example.com/wikis"),
        ("/app/x", "/portal/app/x"),
        ("http://www.example.com/app/x", None),
        ("//cdn.example:8080/a/b", "/static/b"),
        ("http://intranet/가", "https://www.example.com/가"),
        ("http://intranet.example/x", None),
        ("http://intranet@evil/x", None),
        ("https://intranet/x", None),
        ("http://intranet\\x", None),
        ("x.html", None),
        ("#x", None),
        ("", None),
        ("mailto:a@intranet", None),
        ("javascript:location='http://intranet/'", None),
        ("data:text/html,http://intranet/", None),
        ("http://[::1/x", None),
    ],
)
def test_link_is_moved(link: str, moved: str | None) -> None:
    made = linked(f'<a href="{link}">', move=MOVES)
    assert made == (f'<a href="{link}">' if moved is None else f'<a href="{moved}">')


@pytest.mark.parametrize(
    ("link", "absolute"),
    [
        ("x", "http://www.example.com/a/x"),
        ("../x", "http://www.example.com/x"),
        ("/x", "http://www.example.com/x"),
        ("//h/x", "http://h/x"),
        ("?x", "http://www.example.com/a/b.html?x"),
        ("http://h/x", None),
        ("#x", None),
        ("mailto:x", None),
    ],
)
def test_link_becomes_absolute(link: str, absolute: str | None) -> None:
    assert linked(f"<a href='{link}'>", absolute=True) == (
        f"<a href='{link}'>" if absolute is None else f'<a href="{absolute}">'
    )


def test_relative_links_follow_the_base_element() -> None:
    made = linked("<base href='/c/'><base href=/d/><a href=x>", absolute=True)
    assert made.endswith('<a href="http://www.example.com/c/x">')


@pytest.mark.parametrize(
    "body",
    [
        "<a href={}>",
        "<link rel=stylesheet href={}>",
        "<img src={}>",
        "<script src={}></script>",
        "<form action={}>",
        "<button formaction={}>",
        "<input type=image src={}>",
        "<video poster={}>",
        "<object data={}>",
        "<base href={}>",
        "<iframe src={}></iframe>",
        "<svg><image xlink:href={}>",
        "<blockquote cite={}>",
        "<td background={}>",
        "<noscript><img src={}></noscript>",
    ],
)
def test_every_place_of_a_link_is_rewritten(body: str) -> None:
    made = linked(body.format("http://intranet/x"), move=MOVES)
    assert made == body.format('"https://www.example.com/x"')


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "<img srcset='http://intranet/a 1x, http://intranet/b,c 2x'>",
            '<img srcset="https://www.example.com/a 1x, https://www.example.com/b,c 2x">',
        ),
        (
            "<meta http-equiv=Refresh content=\"5; url='http://intranet/x'\">",
            "<meta http-equiv=Refresh content=\"5; url='https://www.example.com/x'\">",
        ),
        (
            "<meta http-equiv=refresh content='0;URL=http://intranet/x'>",
            '<meta http-equiv=refresh content="0;URL=https://www.example.com/x">',
        ),
        ("<meta name=refresh content='0;URL=http://intranet/x'>", None),
        ("<meta http-equiv=refresh content=5>", None),
        (
            "<p style='background: url(http://intranet/x)'>",
            '<p style="background: url(https://www.example.com/x)">',
        ),
        (
            "<style>@import 'http://intranet/x'; a { b: url( \"http://intranet/y\" ) }</style>",
            "<style>@import 'https://www.example.com/x'; a { b: url( \"https://www.example.com/y\" ) }</style>",
        ),
        ("<style>/* url(http://intranet/x) */ a { content: 'url(http://intranet/x)' }</style>", None),
        ("<script>x = 'http://intranet/x'</script><p>http://intranet/x", None),
        ("<!-- <a href='http://intranet/x'> -->", None),
    ],
)
def test_link_in_another_syntax_is_rewritten(body: str, expected: str | None) -> None:
    assert linked(body, move=MOVES) == (expected or body)


def test_large_style_sheet_streams_unchanged() -> None:
    body = "<style>" + "a{b:url(http://intranet/)}" * 10_000 + "</style><a href='http://intranet/'>"
    assert linked(body, move=MOVES) == body.replace("'http://intranet/'", '"https://www.example.com/"')


def test_moved_link_becomes_absolute_too() -> None:
    assert (
        linked("<a href=/app/x>", move=MOVES, absolute=True)
        == '<a href="http://www.example.com/portal/app/x">'
    )


@pytest.mark.parametrize(
    "value", ["a", "a, b", "a 1x,b 2x", ",a,", "a,b 1x", "a (x, y), b", "  ", "a\n1x ,\tb", "a, ,b"]
)
def test_set_of_links_keeps_all_but_its_links(value: str) -> None:
    assert changed_set(value, lambda link: link) == value
    assert changed_set(value, lambda link: "X").count("X") == changed_set(value, lambda link: "XX").count(
        "XX"
    )


@pytest.mark.parametrize(
    "css", ["url(", "url('a", "url(a b)", "url('a\\'b')", "/* url(a)", "'url(a)'", "url('')", "x:url"]
)
def test_malformed_css_stays(css: str) -> None:
    assert changed_css(css, lambda link: "X") == css


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("script-src 'self'", "script-src 'self' 'nonce-N'"),
        (
            "default-src 'self'; img-src *",
            "default-src 'self'; img-src *; script-src 'self' 'nonce-N'; style-src 'self' 'nonce-N'",
        ),
        ("Script-Src 'none'", "script-src 'nonce-N'"),
        ("style-src 'self' 'unsafe-inline'", "style-src 'self' 'unsafe-inline'"),
        ("script-src-elem a; style-src-elem b", "script-src-elem a 'nonce-N'; style-src-elem b 'nonce-N'"),
        ("img-src *", "img-src *"),
        ("script-src a, script-src b", "script-src a 'nonce-N', script-src b 'nonce-N'"),
        ("", ""),
    ],
)
def test_policy_gets_the_nonce(policy: str, expected: str) -> None:
    assert with_nonce(policy, "N") == expected


def nonced(
    body: str, options: dict[str, Any] | None = None, status: int = 200, **fields: str
) -> tuple[str, str, str]:
    """Return the body, the policy and the nonce in it."""
    headers = {
        "Content-Type": "text/html",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    content = b"" if status == 304 else body.encode()
    outcome = Trial(HtmlRewrite, {"csp_nonce": True, **(options or {})}).run(
        request(), answer(status, headers, content)
    )
    policy = (outcome.response.headers.get(b"content-security-policy") or b"").decode()
    return outcome.body.decode(), policy, policy.partition("'nonce-")[2].partition("'")[0]


def test_nonce_is_the_same_in_elements_and_policy() -> None:
    body, policy, nonce = nonced(
        "<script src=a></script><style>x</style><link rel=Stylesheet href=a><link rel=icon><p>",
        Content_Security_Policy="default-src 'self'",
    )
    assert len(nonce) >= 22
    assert policy.count(f"'nonce-{nonce}'") == 2
    assert body == (
        f'<script nonce="{nonce}" src=a></script><style nonce="{nonce}">x</style>'
        f'<link nonce="{nonce}" rel=Stylesheet href=a><link rel=icon><p>'
    )


def test_each_response_has_its_own_nonce() -> None:
    assert (
        nonced("", Content_Security_Policy="script-src a")[2]
        != nonced("", Content_Security_Policy="script-src a")[2]
    )


def test_nonce_of_the_application_stays() -> None:
    policy = "script-src 'nonce-abc'"
    assert nonced("<script nonce=abc>", Content_Security_Policy=policy) == (
        "<script nonce=abc>",
        policy,
        "abc",
    )


def test_response_without_a_policy_gets_the_configured_one_or_no_nonce() -> None:
    assert nonced("<script>") == ("<script>", "", "")
    body, policy, nonce = nonced("<script>", {"csp_policy": "script-src 'self'"})
    assert (body, policy) == (f'<script nonce="{nonce}">', f"script-src 'self' 'nonce-{nonce}'")


def test_inserted_html_names_the_nonce() -> None:
    options = {"banner": "<script nonce='{nonce}'>x</script>"}
    body, _, nonce = nonced("<body>", options, Content_Security_Policy="script-src a")
    assert body == f"<body><script nonce='{nonce}'>x</script>"


def test_policy_in_a_meta_element_gets_the_nonce() -> None:
    text = "<meta http-equiv=content-security-policy content=\"script-src 'self'\">"
    body, _, nonce = nonced(text, Content_Security_Policy="script-src a")
    assert f"content=\"script-src 'self' 'nonce-{nonce}'\"" in body


def test_revalidated_response_keeps_the_policy_of_the_stored_one() -> None:
    assert nonced("", status=304, Content_Security_Policy="script-src a")[1] == ""
