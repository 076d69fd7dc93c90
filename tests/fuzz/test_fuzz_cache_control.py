from __future__ import annotations

from tests.fuzz.fuzz_cache_control import fuzz


def test_mutated_fields_are_read_or_refused_as_declared() -> None:
    fuzz(3000, seed=1)
