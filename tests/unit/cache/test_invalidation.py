"""RFC 9111 section 4.4."""

import pytest

from adc.cache.invalidation import invalidated_urls
from adc.cache.keys import KeyRules
from tests.unit.cache.messages import request, response

SITE = b"http://example.com"


def urls(*fields: str, method: str = "POST", status: int = 200, target: str = "/dir/a?q=1") -> list[bytes]:
    asked = request(method=method, target=target)
    return invalidated_urls(asked, response(*fields, status=status), KeyRules())


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "FOO", "get"])
def test_unsafe_and_unknown_methods_invalidate_their_target(method: str) -> None:
    assert urls(method=method) == [SITE + b"/dir/a?q=1"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND"])
def test_safe_methods_do_not(method: str) -> None:
    assert urls(method=method) == []


@pytest.mark.parametrize(
    ("status", "count"), [(200, 1), (204, 1), (301, 1), (399, 1), (400, 0), (404, 0), (500, 0)]
)
def test_only_success_invalidates(status: int, count: int) -> None:
    assert len(urls(status=status)) == count


@pytest.mark.parametrize("name", ["Location", "Content-Location"])
@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("/b", b"/b"),
        ("b?x=1", b"/dir/b?x=1"),
        ("../b", b"/b"),
        ("http://example.com/b", b"/b"),
        ("http://EXAMPLE.com:80/b", b"/b"),
        ("//example.com/b", b"/b"),
        ("?x", b"/dir/a?x"),
    ],
)
def test_places_of_the_same_origin_are_invalidated(name: str, value: str, url: bytes) -> None:
    assert urls(f"{name}: {value}")[1:] == [SITE + url]


def test_a_place_is_invalidated_as_written_and_in_normal_form() -> None:
    assert urls("Location: http://example.com/a//%62")[1:] == [SITE + b"/a//%62", SITE + b"/a/b"]


@pytest.mark.parametrize(
    "value",
    [
        "http://other.test/b",
        "https://example.com/b",
        "http://example.com:81/b",
        "http://[",
        "mailto:x",
        "/%00",
        "",
    ],
)
def test_other_places_are_left_alone(value: str) -> None:
    assert urls(f"Location: {value}") == [SITE + b"/dir/a?q=1"]
