"""Triggers: a value in which the trigger does not match stays as it is."""

from __future__ import annotations

import re
from random import Random

import pytest
from adc_plugins.waf.transformations import TRANSFORMATIONS

from tests.kit.value_pieces import value

TRIGGERS = {name: one.trigger for name, one in TRANSFORMATIONS.items() if one.trigger is not None}


@pytest.mark.parametrize("name", TRIGGERS)
def test_value_without_the_trigger_is_unchanged(name: str) -> None:
    chance = Random(1)
    values = [value(chance) for _ in range(1500)]
    transformation = TRANSFORMATIONS[name]
    case = re.IGNORECASE if TRIGGERS[name].caseless else re.NOFLAG
    trigger = re.compile(TRIGGERS[name].pattern, re.DOTALL | re.MULTILINE | case)
    quiet = [one for one in values if trigger.search(one) is None]
    assert len(quiet) > 20
    for one in quiet:
        result = transformation.apply(one)
        assert (result.lower() == one.lower()) if transformation.cases else (result == one)
