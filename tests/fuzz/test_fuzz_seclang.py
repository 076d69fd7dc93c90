from __future__ import annotations

from tests.fuzz.fuzz_seclang import fuzz


def test_mutated_rules_are_read_or_refused_as_declared() -> None:
    fuzz(3000, seed=1)
