"""Challenges, solutions and passes."""

from __future__ import annotations

import itertools

import pytest
from adc_plugins.bot_challenge.proof import CHALLENGE_SECONDS, Proofs, leading_zeros
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_800_000_000.0
KEYS = [b"k" * 32]
DIFFICULTY = 8
PROOFS = Proofs(KEYS, DIFFICULTY)


def solved(challenge: str, bits: int = 8) -> str:
    return next(
        text for number in itertools.count() if leading_zeros(text := f"{challenge}.{number}") >= bits
    )


def unsolved(challenge: str) -> str:
    return next(text for number in itertools.count() if leading_zeros(text := f"{challenge}.{number}") < 8)


def test_solution_is_accepted() -> None:
    assert PROOFS.check(solved(PROOFS.challenge(b"a", NOW)), b"a", NOW + 10)


@pytest.mark.parametrize("late", [CHALLENGE_SECONDS + 1, -10])
def test_challenge_of_another_time_is_refused(late: float) -> None:
    assert PROOFS.check(solved(PROOFS.challenge(b"a", NOW)), b"a", NOW + late) is None


def test_challenge_of_another_client_key_or_difficulty_is_refused() -> None:
    solution = solved(PROOFS.challenge(b"a", NOW), 9)
    assert PROOFS.check(solution, b"b", NOW) is None
    assert Proofs([b"x" * 32], 8).check(solution, b"a", NOW) is None
    assert Proofs([b"k" * 32], 9).check(solution, b"a", NOW) is None
    assert Proofs([b"x" * 32, b"k" * 32], 8).check(solution, b"a", NOW) is not None


def test_number_that_does_not_fit_is_refused() -> None:
    assert PROOFS.check(unsolved(PROOFS.challenge(b"a", NOW)), b"a", NOW) is None


def test_challenge_made_easier_by_the_client_is_refused() -> None:
    made, _, rest = PROOFS.challenge(b"a", NOW).split(".", 2)
    assert PROOFS.check(solved(f"{made}.1.{rest}", 1), b"a", NOW) is None


def test_pass_is_for_its_client_until_its_end() -> None:
    text = PROOFS.make_pass(b"a", NOW + 60)
    assert PROOFS.has_pass(text, b"a", NOW + 59)
    assert not PROOFS.has_pass(text, b"a", NOW + 60)
    assert not PROOFS.has_pass(text, b"b", NOW)
    assert not PROOFS.has_pass(text.replace("18", "19", 1), b"a", NOW)


@pytest.mark.parametrize(("difficulty", "passes"), [(1, False), (DIFFICULTY - 1, False), (26, True)])
def test_pass_for_an_easier_challenge_of_another_route_is_not_enough(difficulty: int, passes: bool) -> None:
    text = Proofs(KEYS, difficulty).make_pass(b"a", NOW + 60)
    assert PROOFS.has_pass(text, b"a", NOW) is passes


@given(st.text(max_size=150))
def test_any_other_text_is_neither(text: str) -> None:
    assert PROOFS.check(text, b"a", NOW) is None
    assert not PROOFS.has_pass(text, b"a", NOW)
