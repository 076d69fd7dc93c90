"""Checks of rules: the examples of rules in Python, and the tests of SecLang files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adc_plugins.waf.code.examples import Example, parse_request, parse_response
from adc_plugins.waf.code.rule import PythonRule
from adc_plugins.waf.engine import Ruleset
from adc_plugins.waf.tools.rule_tests import RuleTest
from adc_plugins.waf.tools.trial import run


@dataclass(frozen=True, slots=True)
class Result:
    """One check; `failures` is empty if it passed."""

    name: str
    place: str
    failures: tuple[str, ...]


def check_examples(rules: Iterable[PythonRule], ruleset: Ruleset, errors: list[str]) -> Iterator[Result]:
    """Yield the result of each example. `ruleset` has the rules; it adds to `errors` what they raise."""
    for rule in rules:
        if not rule.matches:
            yield Result(
                f"rule {rule.id}", str(rule.place), ("no example under `matches` shows that it matches",)
            )
        for expected, examples in ((True, rule.matches), (False, rule.not_matches)):
            for example in examples:
                yield _check_example(rule, example, expected, ruleset, errors)


def _check_example(
    rule: PythonRule, example: Example, expected: bool, ruleset: Ruleset, errors: list[str]
) -> Result:
    request = parse_request(example.request)
    del errors[:]
    transaction = run(ruleset, request, parse_response(example.response))
    matched = any(match.rule_id == rule.id for match in transaction.matches)
    own = f"{rule.place}: rule {rule.id}: "
    failures = [error.removeprefix(own) for error in errors if error.startswith(own)]
    if matched is not expected:
        failures.append(
            f"{'must' if expected else 'must not'} match, and {'matches' if matched else 'does not'}"
        )
    return Result(f"rule {rule.id}: {request.line}", str(rule.place), tuple(failures))


def check_tests(tests: Iterable[RuleTest], ruleset: Ruleset) -> Iterator[Result]:
    """Yield the result of each test of SecLang files."""
    for test in tests:
        ids = {match.rule_id for match in run(ruleset, test.request).matches}
        failures = [f"rule {number} must match, and does not" for number in sorted(test.expected - ids)]
        failures += [f"rule {number} must not match, and matches" for number in sorted(test.unexpected & ids)]
        yield Result(test.name, test.place, tuple(failures))
