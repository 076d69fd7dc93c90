from __future__ import annotations

from tests.fuzz.fuzz_documents import fuzz


def test_mutated_documents_are_read_or_refused_as_declared() -> None:
    fuzz(1500, seed=1)
