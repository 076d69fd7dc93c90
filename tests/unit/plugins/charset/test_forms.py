"""Forms and query strings in the charset of the application."""

from __future__ import annotations

import re

from adc_plugins.charset.forms import Forms
from adc_plugins.charset.options import charset_of
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.sampled_from(["a", "&", "=", "/", "%ED%95%9C", "%80", "%", "x%41"]), max_size=12))
def test_each_part_is_converted_by_itself(tokens: list[str]) -> None:
    forms = Forms(charset_of("euc-kr"))
    text = "".join(tokens).encode()
    for convert, separators in ((forms.query, rb"([&=])"), (forms.path, rb"(/)")):
        parts = re.split(separators, text)
        assert convert(text) == b"".join(convert(part) for part in parts)


def test_letters_among_many_plain_fields_are_converted() -> None:
    forms = Forms(charset_of("euc-kr"))
    plain = b"&a" * 100_000
    assert forms.query(b"%ED%95%9C" + plain) == b"%C7%D1" + plain
