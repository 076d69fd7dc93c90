"""The attack corpus: each document is refused, within bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from benchmarks.xml_attacks import MOST_BYTES, ROOT, Refusal
from tests.kit.xml_attacks import ATTACKS

Refuse = Callable[[str], Refusal]


@pytest.fixture(scope="module")
def refuse() -> Iterator[Refuse]:
    """Give a document by name to a process that forks one for it: a tester is too large to be forked so often."""
    command = [sys.executable, "-m", "benchmarks.xml_attacks", "-"]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        names, outcomes = process.stdin, process.stdout

        def outcome(name: str) -> Refusal:
            print(name, file=names, flush=True)
            return Refusal(*json.loads(outcomes.readline()))

        yield outcome
        names.close()


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_refused_in_bounded_memory(name: str, refuse: Refuse) -> None:
    outcome = refuse(name)
    assert outcome.status in (400, 413, 415)
    assert outcome.grown < MOST_BYTES
