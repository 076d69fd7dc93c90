from __future__ import annotations

import pytest

from adc.http import target
from adc.http.target import BadTarget, Target, normalise_path, split_absolute, split_target


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/", Target("/", "", True)),
        ("/a/b.html?x=1&y=2", Target("/a/b.html", "x=1&y=2", True)),
        ("/a?b?c/../d//e", Target("/a", "b?c/../d//e", True)),
        ("/.well-known/acme", Target("/.well-known/acme", "", True)),
        ("/%EA%B0%80%20b", Target("/%EA%B0%80%20b", "", True)),
        ("/%E0%A4%95/%EA%B0%81", Target("/%E0%A4%95/%EA%B0%81", "", True)),
        ("/~a/(b)*'c'!/d,e=f&g@h:+i$", Target("/~a/(b)*'c'!/d,e=f&g@h:+i$", "", True)),
    ],
)
def test_ordinary_target_is_plain(target: str, expected: Target) -> None:
    assert split_target(target) == expected


@pytest.mark.parametrize(
    "target", ["/%61dmin", "/x/../admin", "//admin", "/./admin", "/x/%2E%2e/admin", "/%41/..//admin"]
)
def test_every_spelling_of_a_path_matches_as_one_and_is_not_plain(target: str) -> None:
    assert split_target(target + "?q=%61") == Target("/admin", "q=%61", False)


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/a/.", "/a/"),
        ("/a//", "/a/"),
        ("//", "/"),
        ("/a//../b", "/b"),
        ("/~u%7Ev%2D", "/~u~v-"),
    ],
)
def test_dot_segments_and_empty_segments_are_removed(path: str, normal: str) -> None:
    assert normalise_path(path) == normal


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/a%2fb", "/a%2Fb"),
        ("/a%5cb", "/a%5Cb"),
        ("/%c0%af", "/%C0%AF"),
        ("/%252e%252e/b", "/%252e%252e/b"),
        ("/a%0d%0ab", "/a%0D%0Ab"),
        ("/a|b", "/a%7Cb"),
        ("/a%7cb", "/a%7Cb"),
        ('/[x]"', "/%5Bx%5D%22"),
    ],
)
def test_other_escapes_stay(path: str, normal: str) -> None:
    assert split_target(path) == Target(normal, "", False)


@pytest.mark.parametrize(
    "path",
    [
        "/a;v=1/b",
        "/a/...",
        "/a./b",
        "/a%20/b",
        "/a%20",
        "/a%20%20b",
        "/%2Fa",
        "/%5Ca",
        "/%2561",
        "/%C0%AFa",
        "/%C1%81",
        "/%E0%80%AF",
        "/%F0%80%80%AF",
        "/%EF%BC%8Fa",
        "/%40a",
        "/a%0A",
        "/a%09",
    ],
)
def test_a_path_that_others_may_read_otherwise_is_not_plain(path: str) -> None:
    assert split_target(path) == Target(path, "", False)


@pytest.mark.parametrize(
    "target",
    [
        "",
        "*",
        "a",
        "?a",
        "/\x00",
        "/%00",
        "/a%00b",
        "/%",
        "/%2",
        "/%zz",
        "/a b",
        "/a\tb",
        "/a\r\nb",
        "/\x7f",
        "/é",
        "/\udcff",
        "/a\\b",
        "/a#b",
        "/?a#b",
        "/?é",
        "/?a b",
        "/?\n",
        "/\n",
        "/a\n",
        "/..",
        "/../a",
        "/a/../../b",
        "/%2e%2e/a",
        "/a/..;/b",
        "/a/..;x=1",
        "/a/.;/b",
        "/a/..%3b/b",
        "/a/..%2fb",
        "/a%2f..",
        "/a%5c..%5cb",
        "/a%2f%2e%2e/b",
    ],
)
def test_ambiguous_target_is_refused(target: str) -> None:
    with pytest.raises(BadTarget):
        split_target(target)


def test_percent_in_a_query_needs_no_digits() -> None:
    assert split_target("/s?q=100%").query == "q=100%"


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("http://Example.com/a?b", ("http", "Example.com", "/a?b")),
        ("HTTPS://example.com:8443", ("https", "example.com:8443", "/")),
        ("http://example.com?b", ("http", "example.com", "/?b")),
        ("http://user@example.com/", ("http", "user@example.com", "/")),
        ("http://a//b", ("http", "a", "//b")),
    ],
)
def test_absolute_form_is_taken_apart(target: str, parts: tuple[str, str, str]) -> None:
    assert split_absolute(target) == parts


@pytest.mark.parametrize(
    "target", ["ftp://a/", "example.com:443", "//a/b", "/a", "http:/a", "javascript:x", "*"]
)
def test_absolute_form_of_another_scheme_is_refused(target: str) -> None:
    with pytest.raises(BadTarget):
        split_absolute(target)


def test_strangers_cannot_fill_the_memory_of_paths() -> None:
    for number in range(5000):
        split_target(f"/{number}?a=b")
        split_target(f"/{number}/" + "long" * 100)
    assert len(target._KNOWN.paths) <= target._MOST_KNOWN
    assert max(map(len, target._KNOWN.paths)) <= target._LONGEST_KNOWN


@pytest.mark.parametrize("path", ["/a//b", "/a/../b", "/a;b", "/%61", "/a/.", "/a."])
def test_only_ordinary_paths_are_remembered(path: str) -> None:
    first = split_target(path)
    assert path not in target._KNOWN.paths
    assert split_target(path) == first
