from __future__ import annotations

import pytest

from adc.http.query import MAX_FIELDS, parse_query


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", {}),
        ("a=1&b=2", {"a": ["1"], "b": ["2"]}),
        ("a=1&a=2", {"a": ["1", "2"]}),
        ("a", {"a": [""]}),
        ("a=b=c&&", {"a": ["b=c"]}),
        ("=x", {"": ["x"]}),
        ("%61+b=c%20d%2B", {"a b": ["c d+"]}),
        ("a=%EA%B0%80", {"a": ["가"]}),
        ("a=%ff&b=100%&c=%zz", {"a": ["\ufffd"], "b": ["100%"], "c": ["%zz"]}),
        ("a=1;b=2", {"a": ["1;b=2"]}),
    ],
)
def test_query_is_read_as_form_fields(query: str, fields: dict[str, list[str]]) -> None:
    assert parse_query(query) == fields


def test_number_of_fields_is_bounded() -> None:
    fields = parse_query("&".join(f"f{number}=1" for number in range(MAX_FIELDS + 5)))
    assert len(fields) == MAX_FIELDS
    assert f"f{MAX_FIELDS}" not in fields
