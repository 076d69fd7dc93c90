from __future__ import annotations

from tests.fuzz.fuzz_waf_matchers import fuzz


def test_mutated_values_are_transformed_and_matched() -> None:
    fuzz(1000, seed=1)
