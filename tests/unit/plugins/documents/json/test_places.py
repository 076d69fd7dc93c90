"""Where a value stands in a document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from adc_plugins.documents.json.places import place_of
from adc_plugins.documents.json.refused import pointer
from hypothesis import given
from hypothesis import strategies as st

TEXT = """{
  "a": [1, {"b~/": "x"}],
  "c": 1, "c": 2
}"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (1, 1)),
        (("a",), (2, 8)),
        (("a", 1), (2, 12)),
        (("a", 1, "b~/"), (2, 20)),
        (("c",), (3, 16)),
        (("missing",), (1, 1)),
        (("a", 7), (2, 8)),
        (("a", "x"), (2, 8)),
    ],
)
def test_place_is_where_the_value_begins(path: tuple[Any, ...], place: tuple[int, int]) -> None:
    assert place_of(TEXT, path) == place


def test_pointer_escapes_its_parts() -> None:
    assert pointer(("a", 1, "b~/")) == "/a/1/b~0~1"


KEYS = st.text(max_size=4)


@given(st.lists(KEYS | st.integers(0, 3), max_size=5), st.sampled_from([None, 1, 4]))
def test_value_is_found_however_deep(path: list[Any], indent: int | None) -> None:
    value: Any = "here"
    for key in reversed(path):
        value = {"other": [0], key: value} if isinstance(key, str) else [*[{"x": "]"}] * key, value, 0]
    text = json.dumps(value, indent=indent)
    line, column = place_of(text, path)
    assert text.split("\n")[line - 1][column - 1 :].startswith('"here"')
