from __future__ import annotations

from tests.fuzz import fuzz_html, fuzz_html_fields


def test_mutated_documents_are_checked_and_rewritten_as_declared() -> None:
    fuzz_html.fuzz(500, seed=1)


def test_mutated_forms_are_rewritten_or_refused_as_declared() -> None:
    fuzz_html_fields.fuzz(2000, seed=1)
