from __future__ import annotations

from tests.fuzz.fuzz_request_bodies import fuzz


def test_mutated_bodies_are_read_or_refused_as_declared() -> None:
    fuzz(2000, seed=1)
