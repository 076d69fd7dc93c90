"""Backpressure with several reasons."""

import pytest

from adc.compilation import compiled
from adc.proxy.gate import BUFFER, CLIENT, MEMBER, PLUGIN, Gate

pytestmark = pytest.mark.skipif(compiled(), reason="a test's class cannot extend a compiled one")


class Recorded(Gate):
    """A gate that records what it does to its sender."""

    def __init__(self):
        super().__init__()
        self.done = []

    def _pause(self):
        self.done.append("pause")

    def _resume(self, reasons):
        self.done.append("resume")


def test_the_first_reason_pauses_and_the_end_of_the_last_resumes():
    gate = Recorded()
    gate.close(CLIENT)
    gate.close(PLUGIN)
    gate.open(CLIENT)
    assert gate.done == ["pause"]
    gate.open(PLUGIN)
    assert gate.done == ["pause", "resume"]


def test_a_reason_counts_once():
    gate = Recorded()
    gate.close(MEMBER)
    gate.close(MEMBER)
    gate.open(MEMBER)
    gate.open(MEMBER)
    assert gate.done == ["pause", "resume"]


def test_reasons_that_are_absent_change_nothing():
    gate = Recorded()
    gate.open(BUFFER | MEMBER)
    gate.close(BUFFER)
    gate.open(BUFFER | MEMBER)
    assert gate.done == ["pause", "resume"]
