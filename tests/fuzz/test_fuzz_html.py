from __future__ import annotations

from tests.fuzz.fuzz_html import fuzz


def test_mutated_documents_are_checked_and_rewritten_as_declared() -> None:
    fuzz(500, seed=1)
