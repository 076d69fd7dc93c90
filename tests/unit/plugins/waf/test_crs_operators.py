"""Operators of the OWASP CRS: each one's prefilter matches what the operator does."""

from __future__ import annotations

import random
from collections.abc import Iterator

import hyperscan
import pytest
from adc_plugins.waf.expression import PADDING, Expression
from adc_plugins.waf.operators import Operator, compile_operator
from adc_plugins.waf.operators.dialect import translate
from adc_plugins.waf.operators.syntax import parse
from adc_plugins.waf.seclang.model import OperatorCall, Rule
from adc_plugins.waf.seclang.parse import load
from adc_plugins.waf.transformations import TRANSFORMATIONS

from tests.kit.crs import crs_case_files, crs_folder, read_cases
from tests.kit.expressions import sample

FOLDER = crs_folder()
SAMPLES = 10
CHAINS = (
    ("urldecodeuni",),
    ("urldecodeuni", "lowercase"),
    ("urldecodeuni", "cmdline"),
    ("urldecodeuni", "jsdecode"),
)

pytestmark = pytest.mark.skipif(not FOLDER, reason="the OWASP CRS is absent; name its folder in ADC_CRS")


def read(name: str) -> bytes:
    assert FOLDER is not None
    return (FOLDER / "rules" / name).read_bytes()


def calls() -> Iterator[tuple[OperatorCall, Operator]]:
    """Yield the operators of all rules, without those whose argument a request completes."""
    assert FOLDER is not None
    for item in load(sorted((FOLDER / "rules").glob("*.conf"))).items:
        rule = item if isinstance(item, Rule) else None
        while rule is not None:
            if rule.operator is not None and "%{" not in rule.operator.argument:
                compiled = compile_operator(
                    rule.operator, rule.place, lambda name: (FOLDER / "rules" / name).read_bytes()
                )
                yield rule.operator, compiled
            rule = rule.chain


class Prefilters:
    """All prefilters in one database, as the engine has them."""

    def __init__(self, operators: list[Operator]) -> None:
        self.numbers: dict[Expression, int] = {}
        for operator in operators:
            for expression in operator.prefilter or ():
                self.numbers.setdefault(expression, len(self.numbers))
        caseless = {True: hyperscan.HS_FLAG_CASELESS, False: 0}
        flags = hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_PREFILTER
        self.database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self.database.compile(
            expressions=[expression.pattern for expression in self.numbers],
            ids=list(self.numbers.values()),
            flags=[flags | caseless[expression.caseless] for expression in self.numbers],
        )

    def found(self, value: bytes) -> set[int]:
        """Return what a scan finds in the value alone and as the first or last of two."""
        return self._hits(value) & self._hits(value + b"\nz") & self._hits(b"z\n" + value)

    def _hits(self, data: bytes) -> set[int]:
        hits: set[int] = set()
        self.database.scan(data + PADDING, match_event_handler=lambda number, *_: hits.add(number))
        return hits

    def may_match(self, operator: Operator, hits: set[int]) -> bool:
        return operator.prefilter is None or any(self.numbers[one] in hits for one in operator.prefilter)


@pytest.fixture(scope="module")
def compiled() -> tuple[list[tuple[OperatorCall, Operator]], Prefilters]:
    found = [(call, operator) for call, operator in calls() if not call.negated]
    return found, Prefilters([operator for _, operator in found])


def test_prefilter_matches_samples_of_each_expression(compiled) -> None:
    operators, prefilters = compiled
    chance = random.Random(1)
    missed = []
    matched = 0
    for call, operator in operators:
        if call.name != "rx" or operator.prefilter is None:
            continue
        node = parse(translate(call.argument.encode(), loose=True))
        for value in [sample(node, chance) for _ in range(SAMPLES)]:
            if operator.match(value) is not None:
                matched += 1
                if not prefilters.may_match(operator, prefilters.found(value)):
                    missed.append((call.argument[:200], value))
    assert missed == []
    assert matched > 1000


def test_prefilter_matches_values_of_the_regression_tests(compiled) -> None:
    operators, prefilters = compiled
    assert FOLDER is not None
    cases = [case for file in crs_case_files(FOLDER)[::8] for case in read_cases(file)]
    values = {line for case in cases[::8] for stage in case.stages for line in stage.request.splitlines()}
    missed = []
    for value in values:
        for chain in CHAINS:
            transformed = value
            for name in chain:
                transformed = TRANSFORMATIONS[name].apply(transformed)
            hits = prefilters.found(transformed)
            without = [one for one in operators if not prefilters.may_match(one[1], hits)]
            missed += [
                (call, transformed) for call, operator in without if operator.match(transformed) is not None
            ]
    assert missed == []
    assert len(values) > 60
