from typing import Any

import pytest

from adc.config.errors import Mark
from adc.config.yaml_marks import MAX_DEPTH, compose, locate, locate_key, plain


def read(text: str) -> Any:
    root, problems = compose(text, "f", {})
    assert problems == []
    assert root is not None
    return plain(root)


def complaints(text: str) -> list[str]:
    return [str(problem) for problem in compose(text, "f", {})[1]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("true", True),
        ("false", False),
        ("12", 12),
        ("-1", -1),
        ("012", "012"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("1.5", 1.5),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("2001-01-01", "2001-01-01"),
        ("~", None),
        ("'12'", "12"),
        ('"true"', "true"),
    ],
)
def test_only_what_yaml_1_2_calls_numbers_and_truth_values_is_one(text: str, value: object) -> None:
    assert read(f"a: {text}") == {"a": value}


def test_keys_are_text() -> None:
    assert read("{404: a, on: b, 1.0: c}") == {"404": "a", "on": "b", "1.0": "c"}


def test_anchors_are_followed() -> None:
    assert read("a: &x {b: 1}\nc: [*x, *x]") == {"a": {"b": 1}, "c": [{"b": 1}, {"b": 1}]}


def test_a_key_written_twice_is_told_with_both_places() -> None:
    assert complaints("a: 1\nb:\n  c: 1\n  c: 2") == ["f:4:3: b.c: written twice; the first is at f:3:3"]


def test_a_syntax_error_has_its_place() -> None:
    assert complaints("a: 1\nb: [1, 2\nc: 3")[0].startswith("f:3:")


@pytest.mark.parametrize("text", ["a: &x [*x]", "a: *x", "*x : 1"])
def test_an_alias_to_nothing_before_it_is_refused(text: str) -> None:
    assert complaints(text)


def test_tags_are_refused() -> None:
    assert "tags such as" in complaints("a: !!python/object/apply:os.system [ls]")[0]


def test_a_second_document_is_refused() -> None:
    assert complaints("a: 1\n---\nb: 2") == ["f:2:1: a second document; one file holds one"]


def test_depth_is_bounded() -> None:
    assert "nested too deeply" in complaints("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2))[0]
    assert " nest" in complaints("[" * 100_000)[0]  # the parser's own words from PyYAML 6.0.4 on


def test_aliases_cannot_multiply_without_bound() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "too much" in complaints("\n".join(lines))[-1]


def test_a_key_that_is_no_text_is_refused() -> None:
    assert complaints("{[1, 2]: 3}") == ["f:1:2: a key must be plain text"]


def test_a_value_is_found_by_its_path_and_what_is_not_there_by_its_parent() -> None:
    root, _ = compose("a:\n  - {b: 1}\n  - c: x\n    d:\n      e: 2\n", "f", {})
    assert root is not None
    assert locate(root, ("a", 0, "b")) == Mark("f", 2, 9)
    assert locate(root, ("a", 1, "c")) == Mark("f", 3, 8)
    assert locate(root, ("a", 1, "d")) == Mark("f", 4, 5)
    assert locate(root, ("a", 1, "d", "nope", "deeper")) == Mark("f", 4, 5)
    assert locate(root, ("a", 7)) == Mark("f", 1, 1)
    assert locate_key(root, ("a", 0, "b")) == Mark("f", 2, 6)
    assert locate_key(root, ("a", 0, "nope")) == Mark("f", 2, 5)
    assert locate(root, ()) == Mark("f", 1, 1)


def test_text_that_needs_quotes_is_told_so() -> None:
    assert "needs quotes" in complaints("a: {bind: :80}")[0]
