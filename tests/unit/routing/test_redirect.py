from __future__ import annotations

import pytest

from adc.http.headers import Headers
from adc.http.message import Request
from adc.routing import Redirect


def location(template: str, path: str = "/new/a", query: str = "") -> str:
    return Redirect(template).location(
        Request("GET", path, path, query, "old.example.com:80", "old.example.com", Headers())
    )


def test_query_is_kept_unless_the_template_says_otherwise() -> None:
    assert location("https://www.example.com{path}", query="a=1") == "https://www.example.com/new/a?a=1"
    assert location("https://www.example.com{path}") == "https://www.example.com/new/a"
    assert location("/login?next={path}", query="a=1") == "/login?next=/new/a"
    assert location("/x?{query}&y", query="a=1") == "/x?a=1&y"
    assert location("/x#top", query="a=1") == "/x?a=1#top"


def test_placeholders_are_of_the_request() -> None:
    assert location("{scheme}://{host}:8443{path}") == "http://old.example.com:8443/new/a"
    assert location("https://www.{host}/") == "https://www.old.example.com/"


def test_a_path_cannot_become_a_host() -> None:
    assert location("/{path}", path="/evil.example/") == "/evil.example/"
    assert location("{path}", path="/evil.example/") == "/evil.example/"
    assert location("https://www.example.com{path}", path="*") == "https://www.example.com/"


@pytest.mark.parametrize(
    "template",
    [
        "",
        "www.example.com",
        "//www.example.com/",
        "javascript:{path}",
        "{query}",
        "https://{path}",
        "https://www.example.com{query}",
        "https://{host}.evil.example{path}",
        "https://{host}@evil.example/",
        "https:///{path}",
        "/a\r\nSet-Cookie: x=1",
        "/a b",
        "/{client}",
        "/{path!r}",
        "/{path.__class__}",
        "/{0}",
        "/{",
    ],
)
def test_template_that_lets_a_request_choose_where_it_leads_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Redirect(template)


@pytest.mark.parametrize("status", [200, 300, 304, 400])
def test_other_status_is_refused(status: int) -> None:
    with pytest.raises(ValueError, match="statuses"):
        Redirect("/", status)
