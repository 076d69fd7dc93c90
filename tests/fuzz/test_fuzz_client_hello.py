from __future__ import annotations

from tests.fuzz.fuzz_client_hello import fuzz


def test_mutated_hellos_are_read_or_rejected_as_declared() -> None:
    assert 300 < fuzz(3000, seed=1) < 2700
