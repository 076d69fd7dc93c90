"""Text of requests in logs and on terminals."""

from __future__ import annotations

import json

import pytest
from adc_plugins.waf.printable import json_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, 값", "plain, 값"),
        ("\x1b[2J", "\\u001b[2J"),
        ("\x9b2J", "\\u009b2J"),
        ("a\nb\u2028c", "a\\nb\\u2028c"),
        ("\u202eabc", "\\u202eabc"),
        ("\udc80", "\\udc80"),
        ("\x7f", "\\u007f"),
    ],
)
def test_unprintable_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["\x9b2J", "a\x85b\u2028c\u2029", "\u202e", "\udc80", "값", "\U000e0001"])
def test_json_line_is_one_printable_line_of_the_same_value(text: str) -> None:
    line = json_line({"a": text})
    assert line.isprintable()
    assert json.loads(line) == {"a": text}


def test_indented_json_keeps_its_lines() -> None:
    assert json_line({"a": "\x85"}, indent=1) == '{\n "a": "\\u0085"\n}'
