"""The attack corpus: each document is refused, within bounded memory."""

from __future__ import annotations

import pytest

from benchmarks.xml_attacks import MOST_BYTES, Refusal, refusals
from tests.kit.xml_attacks import ATTACKS


@pytest.fixture(scope="module")
def found() -> dict[str, Refusal]:
    return refusals()


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_refused_in_bounded_memory(name: str, found: dict[str, Refusal]) -> None:
    refusal = found[name]
    assert refusal.status in (400, 413, 415)
    assert refusal.grown < MOST_BYTES
