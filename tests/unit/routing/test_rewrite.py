from __future__ import annotations

from typing import Any

import pytest

from adc.http.target import BadTarget, normalise_path
from adc.routing import Rewrite


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/api/users", "/users"),
        ("/api/", "/"),
        ("/api", "/"),
        ("/apiary", "/apiary"),
        ("/x/api/", "/x/api/"),
        ("*", "*"),
    ],
)
@pytest.mark.parametrize("prefix", ["/api", "/api/"])
def test_strip_prefix_takes_whole_segments_off(prefix: str, path: str, target: str) -> None:
    assert Rewrite(strip_prefix=prefix).target(path, path) == target


def test_query_stays_as_it_is() -> None:
    assert Rewrite(strip_prefix="/api").target("/api/a", "/api/a?q=%61&x=//..") == "/a?q=%61&x=//.."


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("/api/a//b", "/a//b"),
        ("/api//lead", "//lead"),
        ("/api/%41/./x", "/%41/./x"),
        ("/api/x/../y?q", "/x/../y?q"),
        ("/api?", "/?"),
        ("/%61pi/a//b", "/a/b"),
        ("//api/a//b", "/a/b"),
        ("/api/../api/x", "/x"),
        ("/x/../api/y", "/y"),
    ],
)
def test_the_rest_of_the_path_is_sent_as_written_where_the_prefix_lines_up(written: str, sent: str) -> None:
    path = normalise_path(written.partition("?")[0])
    assert Rewrite(strip_prefix="/api").target(path, written) == sent


def test_a_prefix_is_added_to_the_path_as_written() -> None:
    assert Rewrite(add_prefix="/v2").target("/a/b", "/a//%62") == "/v2/a//%62"


def test_substitutions_see_the_normal_form() -> None:
    assert Rewrite(substitutions=[("^/a/b", "/c")]).target("/a/b", "//a/%62?q") == "/c?q"


def test_prefix_is_added_after_stripping() -> None:
    assert Rewrite(strip_prefix="/a", add_prefix="/v2/").target("/a/b", "/a/b") == "/v2/b"


def test_substitutions_apply_in_order_with_groups() -> None:
    rewrite = Rewrite(substitutions=[(r"^/(\w+)/(\w+)$", r"/\2/\1"), ("b", "c")])
    assert rewrite.target("/a/b", "/a/b") == "/c/a"


def test_substitution_cannot_make_a_path_that_was_not_matched_as_it_is_served() -> None:
    rewrite = Rewrite(substitutions=[("x", "")])
    assert rewrite.target("/a/.x./admin", "/a/.x./admin") == "/admin"
    assert Rewrite(substitutions=[("^/a", "")]).target("/a/evil.net/", "/a/evil.net/") == "/evil.net/"
    assert Rewrite(substitutions=[("a", "/")]).target("/a/evil.net", "/a/evil.net") == "/evil.net"
    with pytest.raises(BadTarget):
        rewrite.target("/.x./a", "/.x./a")


@pytest.mark.parametrize(
    "arguments",
    [
        {"strip_prefix": "api"},
        {"add_prefix": "/a?b"},
        {"substitutions": [("(", "")]},
        {"substitutions": [("a", r"\1")]},
        {"host": "a b"},
    ],
)
def test_bad_rewrite_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Rewrite(**arguments)


def test_host_is_kept_for_the_member() -> None:
    assert Rewrite(host="inner.example:8080").host == "inner.example:8080"
