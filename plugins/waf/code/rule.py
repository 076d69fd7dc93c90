"""The decorator `rule`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from adc_plugins.waf.code.examples import Example
from adc_plugins.waf.code.exchange import Exchange, Item
from adc_plugins.waf.seclang.actions import severity_number
from adc_plugins.waf.seclang.model import Place
from adc_plugins.waf.seclang.names import SEVERITIES
from adc_plugins.waf.seclang.suggest import unknown

PHASES: Final = {"request_head": 1, "request_body": 2, "response_head": 3, "response_body": 4}
LEVELS: Final = range(1, 5)
SCORES: Final = {
    "EMERGENCY": "critical",
    "ALERT": "critical",
    "CRITICAL": "critical",
    "ERROR": "error",
    "WARNING": "warning",
    "NOTICE": "notice",
}
"""Severities with a score, and the name that it has in `tx.NAME_anomaly_score`."""

Found = bool | str | bytes | Item | None
"""What a rule returns: a false value for no match; what it found, for the log, or True."""

Function = Callable[[Exchange], Found]


class RuleError(ValueError):
    """A rule that cannot be used."""


@dataclass(frozen=True, slots=True)
class PythonRule:
    """A function with what `rule` says of it. It can be called, as in tests."""

    function: Function
    place: Place
    id: int
    phase: int
    severity: str
    score: int | None
    level: int
    message: str
    tags: tuple[str, ...]
    matches: tuple[Example, ...]
    not_matches: tuple[Example, ...]

    def __call__(self, exchange: Exchange) -> Found:
        """Return what the function returns."""
        return self.function(exchange)


def rule(
    *,
    id: int,
    message: str,
    phase: str = "request_body",
    severity: str = "critical",
    score: int | None = None,
    level: int = 1,
    tags: Sequence[str] = (),
    matches: Sequence[str | Example] = (),
    not_matches: Sequence[str | Example] = (),
) -> Callable[[Function], PythonRule]:
    """Return a decorator that makes a function a rule.

    A match adds `score`, by default that of the severity (critical 5, error 4, warning 3, notice 2), to the anomaly
    score of the paranoia level `level`. `phase` is request_head, request_body, response_head or response_body. The
    examples under `matches` must match and those under `not_matches` must not; `adc waf test` checks them.
    """
    _check(id, message, phase, severity, score, level)
    examples = tuple(map(Example.of, matches)), tuple(map(Example.of, not_matches))

    def decorate(function: Function) -> PythonRule:
        code = function.__code__
        place = Place(code.co_filename, code.co_firstlineno)
        name = severity.upper()
        return PythonRule(
            function, place, id, PHASES[phase], name, score, level, message, tuple(tags), *examples
        )

    return decorate


def _check(number: int, message: str, phase: str, severity: str, score: int | None, level: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise RuleError(f"id is a positive number, found {number!r}")
    if not message or "\n" in message:
        raise RuleError(f"rule {number}: message is one line of text, found {message!r}")
    if phase not in PHASES:
        raise RuleError(f"rule {number}: {unknown('phase', str(phase), PHASES)}; use {', '.join(PHASES)}")
    if severity_number(severity) is None or severity.isdecimal():
        names = ", ".join(SEVERITIES).lower()
        raise RuleError(f"rule {number}: unknown severity {severity!r}; use {names}")
    if score is not None and (not isinstance(score, int) or not 0 <= score <= 1000):
        raise RuleError(f"rule {number}: score is a number from 0 to 1000, found {score!r}")
    if level not in LEVELS:
        raise RuleError(f"rule {number}: level is a paranoia level from 1 to 4, found {level!r}")
