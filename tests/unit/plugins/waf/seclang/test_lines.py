from __future__ import annotations

import pytest
from adc_plugins.waf.seclang.lines import Line, logical_lines
from adc_plugins.waf.seclang.model import SecLangError
from hypothesis import given
from hypothesis import strategies as st


def lines(text: str) -> list[Line]:
    return list(logical_lines("f.conf", text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A b c", ("b", "c")),
        ('A "b c" d', ("b c", "d")),
        ("A 'b c' d", ("b c", "d")),
        ('A "b \\"c\\""', ('b "c"',)),
        ("A 'b \\'c\\''", ("b 'c'",)),
        ('A "b\\\\"', ("b\\\\",)),
        ('A "\\d\\.\\\\"', ("\\d\\.\\\\",)),
        ('A "it\'s"', ("it's",)),
        ("\t A \t b \t", ("b",)),
        ("A b # a comment", ("b",)),
        ('A "b#c"', ("b#c",)),
        ("A b#c", ("b#c",)),
        ("A b\\\nc", ("bc",)),
        ("A b \\\r\n  c\r\n", ("b", "c")),
        ('A "b,\\\n    c"', ("b,    c",)),
        ("\ufeffA b", ("b",)),
    ],
)
def test_words_are_separated_by_blanks_outside_quotes(text: str, words: tuple[str, ...]) -> None:
    (line,) = lines(text)
    assert (line.name, line.words) == ("A", words)


@pytest.mark.parametrize("text", ["", "\n\r\n", "# A b", "  # A b", "#", "\ufeff# A"])
def test_comments_and_empty_lines_are_left_out(text: str) -> None:
    assert lines(text) == []


def test_place_is_the_first_line_of_a_joined_line() -> None:
    found = lines("\n# c\nA b \\\n  c\n\nD e")
    assert [(line.name, line.place.line) for line in found] == [("A", 3), ("D", 6)]


def test_commented_out_rule_ends_where_its_joined_lines_end() -> None:
    assert [line.name for line in lines('#SecAction \\\n  "id:1,\\\n  pass"\nA b')] == ["A"]


def test_other_comment_ends_at_the_end_of_its_line() -> None:
    assert [line.name for line in lines("# a path: C:\\\nA b")] == ["A"]


@pytest.mark.parametrize("text", ['A "b', "A 'b", 'A "b\\"', 'A "b"c'])
def test_unclosed_quote_is_an_error_with_its_line(text: str) -> None:
    with pytest.raises(SecLangError, match=r"^f\.conf:2: "):
        lines("\n" + text)


_WORDS = st.text(st.characters(exclude_categories=["C"], exclude_characters="\\"), min_size=1)


@given(st.lists(_WORDS, max_size=4), st.sampled_from("\"'"))
def test_quoted_words_round_trip(words: list[str], quote: str) -> None:
    written = " ".join(quote + word.replace(quote, "\\" + quote) + quote for word in words)
    (line,) = lines(f"A {written}")
    assert line.words == tuple(words)
