import pytest

from adc.config.expand import expand


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${PORT}", "8080"),
        ("127.0.0.1:${PORT}", "127.0.0.1:8080"),
        ("${PORT:-9}", "8080"),
        ("${NONE:-9}", "9"),
        ("${NONE:-}", ""),
        ("${EMPTY:-9}", "9"),
        ("${EMPTY}", ""),
        ("$${PORT}", "${PORT}"),
        ("$$$$", "$$"),
        ("^a$", "^a$"),
        ("${URL:-redis://h:1/0}", "redis://h:1/0"),
    ],
)
def test_references_are_filled_in(text: str, expected: str) -> None:
    assert expand(text, {"PORT": "8080", "EMPTY": ""}) == expected


def test_value_of_a_variable_is_not_expanded_again() -> None:
    assert expand("${A}", {"A": "${B}", "B": "x"}) == "${B}"


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ValueError, match=r"NOPE is not set"):
        expand("${NOPE}", {})


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A", "${A-b}"])
def test_a_broken_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write \\$\\{NAME\\}"):
        expand(text, {"A": "x"})
