"""The attack corpus: each document is refused, within bounded memory."""

from __future__ import annotations

import pytest

from adc.plugin.testkit import Trial
from benchmarks.xml_attacks import MOST_BYTES, refusal, validation
from tests.kit.xml_attacks import ATTACKS


@pytest.fixture(scope="module")
def trial() -> Trial:
    return validation()


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_refused_in_bounded_memory(name: str, trial: Trial) -> None:
    outcome = refusal(trial, name)
    assert outcome.status in (400, 413, 415)
    assert outcome.grown < MOST_BYTES
