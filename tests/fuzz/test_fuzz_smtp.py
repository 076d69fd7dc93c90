from __future__ import annotations

from tests.fuzz.fuzz_smtp import fuzz


def test_mutated_mail_is_read_as_members_read_it_or_refused() -> None:
    assert 500 < fuzz(2000, seed=1) < 3500
