from __future__ import annotations

from tests.fuzz.fuzz_proxy_protocol import fuzz


def test_mutated_headers_are_read_or_refused_as_declared() -> None:
    assert 300 < fuzz(3000, seed=1) < 2700
