"""Primary keys: what shares a response and what must not."""

import pytest

from adc.cache.keys import KeyRules, normal_query, primary_key, url_of
from adc.http.message import Request
from tests.unit.cache.messages import lines, request

PLAIN = KeyRules()


def key(*fields: str, rules: KeyRules = PLAIN, **more) -> bytes:
    return primary_key(request(*fields, **more), rules)


def test_a_key_is_the_url() -> None:
    assert key(target="/a?b=c") == b"http://example.com/a?b=c"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"target": "/a"}, {"target": "/A"}),
        ({"target": "/a"}, {"target": "/a/"}),
        ({"target": "/a"}, {"target": "/a?"}),
        ({"target": "/a?b=1&c=2"}, {"target": "/a?c=2&b=1"}),
        ({"target": "/a?b"}, {"target": "/a%3Fb"}),
        ({"authority": "a.test"}, {"authority": "b.test"}),
        ({"authority": "a.test"}, {"authority": "a.test:8080"}),
    ],
)
def test_different_requests(one: dict[str, str], other: dict[str, str]) -> None:
    assert key(**one) != key(**other)


def test_the_same_authority_in_other_words() -> None:
    assert key(authority="EXAMPLE.com:80") == key(authority="example.com")


def test_scheme_is_part_of_the_key() -> None:
    asked = request()
    secure = Request("GET", "/a", "/a", "", "example.com:443", "example.com", lines(()), scheme="https")
    assert primary_key(secure, PLAIN) == b"https://example.com/a" != primary_key(asked, PLAIN)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_the_method_is_not_part_of_the_key(method: str) -> None:
    assert key(method=method) == key()


def test_unkeyed_fields_change_nothing() -> None:
    assert key("X-Forwarded-Host: evil.test", "Cookie: a=1") == key()


@pytest.mark.parametrize(
    ("rules", "query", "expected"),
    [
        (KeyRules(ignore_query=("utm_*", "fbclid")), "utm_source=x&a=1&fbclid=2&b", "a=1&b"),
        (KeyRules(ignore_query=("utm_*",)), "%75tm_source=x&UTM_a=1", "%75tm_source=x&UTM_a=1"),
        (KeyRules(ignore_query=("utm_*",)), "utm_a=1;callback=evil", "utm_a=1;callback=evil"),
        (KeyRules(only_query=("a", "b")), "c=1&b=2&a=3", "b=2&a=3"),
        (KeyRules(only_query=()), "c=1&b=2", ""),
        (KeyRules(sort_query=True), "b=2&a=2&a=1&b=1", "a=2&a=1&b=2&b=1"),
    ],
)
def test_query_rules(rules: KeyRules, query: str, expected: str) -> None:
    assert normal_query(query, rules) == expected


def test_a_query_of_which_nothing_is_left_is_no_query() -> None:
    rules = KeyRules(ignore_query=("utm_*",))
    assert key(target="/a?utm_x=1", rules=rules) == key(target="/a", rules=rules)


def test_headers_and_cookies_of_the_rules_are_parts() -> None:
    rules = KeyRules(headers=(b"x-device",), cookies=(b"lang",))
    plain = key(rules=rules)
    assert url_of(plain) == b"http://example.com/a"
    variants = [
        key("X-Device: tv", rules=rules),
        key("X-Device: ", rules=rules),
        key("Cookie: lang=de", rules=rules),
        key("Cookie: lang=", rules=rules),
        key("Cookie: lang=de; lang=en", rules=rules),
        key("Cookie: lang=en; lang=de", rules=rules),
        key("X-Device: -;c:lang=2:de;", rules=rules),
    ]
    assert len({plain, *variants}) == 8


def test_other_cookies_are_not_parts() -> None:
    rules = KeyRules(cookies=(b"lang",))
    assert key("Cookie: id=1; lang=de", rules=rules) == key("Cookie: lang=de; id=2", rules=rules)
