"""`adc waf test`: the checks of a configuration or of one file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from adc_plugins.waf.options import WafOptions
from adc_plugins.waf.tools.checks import Result, check_examples, check_tests
from adc_plugins.waf.tools.rule_tests import SUFFIX, BadTest, file_beside, read_tests
from adc_plugins.waf.tools.uses import Use, waf_uses

from adc.plugin import CommandHost, OptionErrors


def check_path(path: Path, host: CommandHost) -> list[Result]:
    """Return the results for a configuration, a file of rules or a file of tests."""
    if path.name.endswith(SUFFIX):
        rules = path.with_name(path.name.removesuffix(SUFFIX) + ".conf")
        if not rules.is_file():
            raise BadTest(f"{path}: tests stand beside the rules, and there is no {rules.name}")
        return _results(_use_of(rules))
    if path.suffix in (".conf", ".py"):
        return _results(_use_of(path))
    return [result for use in waf_uses(host, path) if use.options.mode != "off" for result in _results(use)]


def _use_of(path: Path) -> Use:
    if not path.is_file():
        raise BadTest(f"{path} is not a file")
    return Use("", WafOptions(rules=(str(path),)))


def _results(use: Use) -> list[Result]:
    """Return the results of all examples and tests of a route's rules, at the highest paranoia level."""
    try:
        rules = use.rules(paranoia=4, detection_paranoia=None)
    except OptionErrors as wrong:
        raise BadTest("; ".join(message for _, message in wrong.findings)) from None
    errors: list[str] = []
    ruleset = rules.ruleset("detect", None, lambda rule, error: errors.append(f"{rule}: {error!r}"))
    results = list(check_examples(rules.python_rules(), ruleset, errors))
    for file, _ in rules.sources:
        tests = file_beside(Path(file))
        if tests is not None:
            results += check_tests(read_tests(tests), ruleset)
    return results


def report(results: Sequence[Result]) -> Iterator[str]:
    """Yield the lines for a person."""
    for result in results:
        yield f"{'FAILED' if result.failures else 'ok':6} {result.name}"
        for failure in result.failures:
            yield f"       {result.place}: {failure}"
    failed = sum(bool(result.failures) for result in results)
    yield (
        f"{len(results) - failed} of {len(results)} checks passed"
        if results
        else "no examples and no tests found"
    )


def as_json(results: Sequence[Result]) -> str:
    """Return the results for a program."""
    failed = any(result.failures for result in results)
    return json.dumps({"ok": not failed, "results": [asdict(result) for result in results]}, indent=1)
