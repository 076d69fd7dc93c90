"""What a binary leaves to the next one."""

import os

import pytest

from adc.control.decisions import Decisions
from adc.control.handover import Handover
from adc.runtime.operations.health import Report

LEGACY = Handover(
    (("app", "one", "draining"),),
    (Report("app", "two", False, "Connection refused"),),
)


def test_it_is_read_as_it_was_written():
    assert Handover.read(LEGACY.write()) == LEGACY


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{}", b"{", b'{"decisions": [["a"]], "health": []}', b'{"decisions": 1, "health": 2}'],
)
def test_invalid_handover_is_empty(text):
    descriptor = os.memfd_create("told")
    os.write(descriptor, text)
    assert Handover.read(descriptor) == Handover()


def test_decisions_go_on_but_for_words_that_nobody_knows():
    decisions = Decisions()
    decisions.take_over([("app", "one", "disabled"), ("app", "two", "banished"), ("app", "three", "enabled")])
    assert decisions.all() == (("app", "one", "disabled"),)
