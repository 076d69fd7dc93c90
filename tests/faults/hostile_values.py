"""Values of a megabyte that are made to cost as much as possible, for each expression of the OWASP CRS in turn."""

import random
import time

from adc_plugins.waf.operators import LimitReached, compile_operator
from adc_plugins.waf.operators.dialect import translate
from adc_plugins.waf.operators.syntax import parse
from adc_plugins.waf.seclang.model import Rule
from adc_plugins.waf.seclang.parse import load
from adc_plugins.waf.transformations import TRANSFORMATIONS

from tests.faults.setting import Report
from tests.kit.crs import crs_folder
from tests.kit.expressions import sample
from tests.kit.value_pieces import PIECES

SIZE = 1_000_000
MOST_SECONDS = 1.0
"""Processor time of one operator or transformation on one value."""
MIXED = (b"".join(PIECES) * (SIZE // 200))[:SIZE]
ORDINARY = (b"a b" * SIZE)[:SIZE]


async def _values(folder):
    """Yield parts that almost match, one behind the other, and values that any expression gets."""
    crs = crs_folder()
    if crs is None:
        return None
    costs = [_cost(name, one.apply, MIXED) for name, one in TRANSFORMATIONS.items()]
    for rule in _rules(crs):
        operator = compile_operator(
            rule.operator, rule.place, lambda name: (crs / "rules" / name).read_bytes()
        )
        values = [MIXED, ORDINARY, *(_almost(rule.operator.argument) if rule.operator.name == "rx" else ())]
        costs += [_cost(str(rule.place), operator.match, value) for value in values]
    seconds, name = max(costs)
    found = Report(len(costs), 0, 0, 0, 0, 0.0, 0.0, 0.0)
    found.note = f"the most: {seconds:.2f} s of processor time by {name}"
    if seconds > MOST_SECONDS:
        found.wrong = found.note
    return found


def _rules(crs):
    """Yield the rules and those chained behind them whose operator is known at load."""
    for item in load(sorted((crs / "rules").glob("*.conf"))).items:
        rule = item if isinstance(item, Rule) else None
        while rule is not None:
            if rule.operator is not None and "%{" not in rule.operator.argument:
                yield rule
            rule = rule.chain


def _almost(pattern):
    chance = random.Random(1)
    node = parse(translate(pattern.encode(), loose=True))
    parts = [sample(node, chance)[:-1] or b"x" for _ in range(20)]
    return [(part * (SIZE // len(part) + 1))[:SIZE] for part in (parts[0], b"".join(parts))]


def _cost(name, function, value):
    begun = time.process_time()
    try:
        function(value)
    except LimitReached:
        pass
    return time.process_time() - begun, name


SCENARIOS = {"megabytes for each expression of the CRS": _values}
