"""Which origins are allowed."""

from __future__ import annotations

import pytest
from adc_plugins.cors.origins import OriginPattern, Origins

LISTED = Origins(
    ["https://app.example.com", "https://*.example.org", "http://localhost:3000", "https://x.test:443"], False
)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://app.example.com", True),
        ("HTTPS://APP.example.com", True),
        ("https://x.test", True),
        ("http://app.example.com", False),
        ("https://app.example.com:8443", False),
        ("https://app.example.com.evil.test", False),
        ("https://evil-app.example.com", False),
        ("https://a.example.org", True),
        ("https://a.b.example.org", True),
        ("https://example.org", False),
        ("https://evilexample.org", False),
        ("https://evil.test/.example.org", False),
        ("https://evil.test#.example.org", False),
        ("https://evil.test?.example.org", False),
        ("https://user@a.example.org", False),
        ("https://.example.org", False),
        ("https://a..example.org", False),
        ("http://localhost:3000", True),
        ("http://localhost", False),
        ("null", False),
        ("", False),
        ("https://" + "a." * 200 + "example.org", False),
    ],
)
def test_named_origins_and_subdomains(origin: str, allowed: bool) -> None:
    assert LISTED.allow(origin) is allowed


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://pr-12.preview.test", True),
        ("https://pr-x.preview.test", False),
        ("https://pr-12.preview.test.evil.test", False),
        ("https://evil.test/https://pr-12.preview.test", False),
    ],
)
def test_expression_matches_the_whole_origin(origin: str, allowed: bool) -> None:
    pattern = OriginPattern(regex=r"https://pr-\d+\.preview\.test|http://other")
    assert Origins([pattern], False).allow(origin) is allowed


@pytest.mark.parametrize("null", [False, True])
def test_null_is_allowed_only_by_name(null: bool) -> None:
    assert Origins(["*"], null).allow("null") is null


@pytest.mark.parametrize(
    "text",
    [
        "example.com",
        "https://",
        "https://a/",
        "https://*",
        "*.example.com",
        "https://a.*.com",
        "null",
        "https://a b",
    ],
)
def test_text_that_is_no_origin_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        Origins([text], False)
