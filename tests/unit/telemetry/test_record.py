from __future__ import annotations

import re

import pytest

from adc.telemetry.record import COMPLETE, END_REASONS


@pytest.mark.parametrize("word", END_REASONS)
def test_end_reasons_are_short_words_with_a_meaning(word: str) -> None:
    assert word == COMPLETE or re.fullmatch(r"[a-z_]{3,24}", word)
    assert len(END_REASONS[word]) > 10
