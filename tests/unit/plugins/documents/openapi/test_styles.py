"""Values of parameters, with the examples of OpenAPI 3.1 section 4.8.12.6."""

from __future__ import annotations

from typing import Any

import pytest
from adc_plugins.documents.openapi.styles import (
    Kinds,
    Style,
    coerced,
    from_header,
    from_path,
    from_query,
    query_pairs,
)
from hypothesis import given
from hypothesis import strategies as st

TEXT = Kinds(frozenset({"string"}))
COLORS = Kinds(frozenset({"array"}), frozenset({"string"}))
RGB = Kinds(frozenset({"object"}), frozenset(), dict.fromkeys("RGB", frozenset({"integer"})))
ARRAY = ["blue", "black", "brown"]
OBJECT = {"R": 100, "G": 200, "B": 150}


@pytest.mark.parametrize(
    ("style", "explode", "text", "kinds", "value"),
    [
        ("matrix", False, ";color=blue", TEXT, "blue"),
        ("matrix", False, ";color=blue,black,brown", COLORS, ARRAY),
        ("matrix", True, ";color=blue;color=black;color=brown", COLORS, ARRAY),
        ("matrix", False, ";color=R,100,G,200,B,150", RGB, OBJECT),
        ("matrix", True, ";R=100;G=200;B=150", RGB, OBJECT),
        ("label", False, ".blue", TEXT, "blue"),
        ("label", True, ".blue.black.brown", COLORS, ARRAY),
        ("label", True, ".R=100.G=200.B=150", RGB, OBJECT),
        ("simple", False, "blue,black,brown", COLORS, ARRAY),
        ("simple", False, "R,100,G,200,B,150", RGB, OBJECT),
        ("simple", True, "R=100,G=200,B=150", RGB, OBJECT),
        ("simple", False, "a%2Cb%20c", TEXT, "a,b c"),
    ],
)
def test_path_parameter(style: str, explode: bool, text: str, kinds: Kinds, value: Any) -> None:
    assert from_path("color", text, Style(style, explode), kinds) == value


@pytest.mark.parametrize(
    ("style", "explode", "query", "kinds", "value"),
    [
        ("form", True, "color=blue", TEXT, "blue"),
        ("form", False, "color=blue,black,brown", COLORS, ARRAY),
        ("form", True, "color=blue&x=1&color=black&color=brown", COLORS, ARRAY),
        ("form", False, "color=R,100,G,200,B,150", RGB, OBJECT),
        ("form", True, "R=100&G=200&B=150&x=1", RGB, OBJECT),
        ("spaceDelimited", False, "color=blue%20black%20brown", COLORS, ARRAY),
        ("spaceDelimited", False, "color=blue+black+brown", COLORS, ARRAY),
        ("pipeDelimited", False, "color=blue|black%7Cbrown", COLORS, ARRAY),
        ("deepObject", True, "color[R]=100&color%5BG%5D=200&color[B]=150", RGB, OBJECT),
        ("form", True, "c%6Flor=a+b%2Bc", TEXT, "a b+c"),
        ("form", True, "other=1", TEXT, None),
        ("form", True, "other=1", RGB, None),
    ],
)
def test_query_parameter(style: str, explode: bool, query: str, kinds: Kinds, value: Any) -> None:
    assert from_query("color", query_pairs(query), Style(style, explode), kinds) == value


def test_header_parameter_is_not_percent_encoded() -> None:
    assert from_header("a%20b , c", Style("simple", False), COLORS) == ["a%20b", "c"]


@pytest.mark.parametrize(
    ("text", "types", "value"),
    [
        ("5", {"integer"}, 5),
        ("-5", {"integer"}, -5),
        ("5.5", {"number"}, 5.5),
        ("1e3", {"number"}, 1000.0),
        ("05", {"integer"}, "05"),
        ("+5", {"integer"}, "+5"),
        ("1e999", {"number"}, "1e999"),
        ("٣", {"integer"}, "٣"),
        ("true", {"boolean"}, True),
        ("True", {"boolean"}, "True"),
        ("", {"null", "integer"}, None),
        ("5", {"string"}, "5"),
        ("1" * 50, {"integer"}, "1" * 50),
    ],
)
def test_text_becomes_the_type_of_the_schema(text: str, types: set[str], value: Any) -> None:
    assert coerced(text, frozenset(types)) == value


@given(st.text(max_size=40), st.sampled_from([TEXT, COLORS, RGB]), st.booleans())
def test_any_text_is_read(text: str, kinds: Kinds, explode: bool) -> None:
    for style in ("matrix", "label", "simple"):
        from_path("color", text, Style(style, explode), kinds)
    for style in ("form", "spaceDelimited", "pipeDelimited", "deepObject"):
        from_query("color", query_pairs(text), Style(style, explode), kinds)
    from_header(text, Style("simple", explode), kinds)
