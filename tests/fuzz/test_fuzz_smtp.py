from __future__ import annotations

from tests.fuzz import fuzz_smtp, fuzz_smtp_commands


def test_mutated_mail_is_read_as_members_read_it_or_refused() -> None:
    assert 500 < fuzz_smtp.fuzz(2000, seed=1) < 3500


def test_mutated_conversations_give_one_result_however_they_are_cut() -> None:
    assert 100 < fuzz_smtp_commands.fuzz(300, seed=1) < 450
