"""Claims as fields."""

from __future__ import annotations

from typing import Any

import pytest
from adc_plugins.tokens.claims import as_field, find, has_scopes, matches

CLAIMS = {"sub": "alice", "a.b": 1, "realm_access": {"roles": ["x"]}, "a": {"b": 2}}


@pytest.mark.parametrize(
    ("path", "value"),
    [("sub", "alice"), ("a.b", 1), ("realm_access.roles", ["x"]), ("none", None), ("sub.x", None)],
)
def test_claim_is_found_by_name_or_path(path: str, value: Any) -> None:
    assert find(CLAIMS, path) == value


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("alice", b"alice"),
        ("Zo\xeb", "Zo\xeb".encode()),
        (5, b"5"),
        (True, b"true"),
        (None, None),
        (["a", "b"], b"a,b"),
        (["a,admin", "50%"], b"a%2Cadmin,50%25"),
        (["a\r\nX: 1"], b"a%0D%0AX: 1"),
        ("a\r\nX: 1", None),
        ({"a": 1}, b'{"a":1}'),
        ("x" * 5000, None),
    ],
)
def test_claim_as_field_value_cannot_break_out(value: Any, field: bytes | None) -> None:
    assert as_field(value) == field


@pytest.mark.parametrize(
    ("found", "wanted", "result"),
    [
        ("a", "a", True),
        ("a", ["a", "b"], True),
        (["x", "a"], ["a"], True),
        (["x"], ["a"], False),
        (True, True, True),
        (1, True, False),
        ("true", True, False),
        (None, "a", False),
    ],
)
def test_claim_matches_one_of_the_values(found: Any, wanted: Any, result: bool) -> None:
    assert matches(found, wanted) is result


@pytest.mark.parametrize(
    ("claims", "result"),
    [
        ({"scope": "a b c"}, True),
        ({"scp": ["b", "a"]}, True),
        ({"scope": "a"}, False),
        ({}, False),
        ({"scope": "ab"}, False),
    ],
)
def test_all_scopes_are_needed(claims: dict[str, Any], result: bool) -> None:
    assert has_scopes(claims, ["a", "b"]) is result
