from __future__ import annotations

from tests.fuzz.fuzz_charset import fuzz


def test_mutated_content_becomes_utf_8_whatever_its_chunks() -> None:
    fuzz(2000, seed=1)
