"""Files of rules in Python."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from types import ModuleType

from adc_plugins.waf.code.exchange import Exchange, Item, bytes_of
from adc_plugins.waf.code.rule import SCORES, Found, PythonRule
from adc_plugins.waf.regular_file import read_regular
from adc_plugins.waf.seclang.model import Action, CodeRule, Inspect, Place, SecLangError, Values

Report = Callable[[str, Exception], None]
"""Is called with `FILE:LINE: rule ID` and the exception that a rule raised."""


def load_rules(path: Path) -> list[PythonRule]:
    """Run a file and return its rules in the order written; raise SecLangError if it cannot be used."""
    file = str(path)
    try:
        code = compile(read_regular(path), file, "exec")
    except OSError as error:
        raise SecLangError(Place(file, 1), f"cannot be read: {error.strerror or error}") from None
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise SecLangError(Place(file, line), f"invalid Python: {getattr(error, 'msg', error)}") from None
    module = ModuleType(f"adc_waf_rules.{sha256(file.encode()).hexdigest()[:16]}.{path.stem}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # dataclasses look up the module of a class
    try:
        exec(code, module.__dict__)
    except Exception as error:
        raise SecLangError(_raised_at(error, file), f"{type(error).__name__}: {error}") from error
    rules = [value for value in vars(module).values() if isinstance(value, PythonRule)]
    if not rules:
        raise SecLangError(Place(file, 1), "no rule is defined; decorate functions with @rule(...)")
    return list(dict.fromkeys(rules))


def load_code(path: Path, report: Report) -> list[CodeRule]:
    """Return the rules of a file for a program. What they raise is reported, and counts as no match."""
    return [as_code(rule, report) for rule in load_rules(path)]


def as_code(rule: PythonRule, report: Report) -> CodeRule:
    """Return `rule` for a program."""
    return CodeRule(rule.place, rule.level, _actions(rule), _inspector(rule, report))


def _actions(rule: PythonRule) -> tuple[Action, ...]:
    score = str(rule.score) if rule.score is not None else _score_of(rule.severity)
    direction = "inbound" if rule.phase < 3 else "outbound"
    tags = ("python", f"paranoia-level/{rule.level}", *rule.tags)
    return (
        Action("id", str(rule.id)),
        Action("phase", str(rule.phase)),
        Action("pass"),
        Action("log"),
        Action("auditlog"),
        Action("msg", rule.message),
        *(Action("tag", tag) for tag in tags),
        Action("severity", rule.severity),
        Action("setvar", f"tx.{direction}_anomaly_score_pl{rule.level}=+{score}"),
    )


def _score_of(severity: str) -> str:
    return f"%{{tx.{SCORES[severity]}_anomaly_score}}" if severity in SCORES else "0"


def _inspector(rule: PythonRule, report: Report) -> Inspect:
    def inspect(values: Values) -> tuple[str, bytes, bytes] | None:
        try:
            return _item(rule(Exchange(values.get)))
        except Exception as error:
            report(f"{rule.place}: rule {rule.id}", error)
            return None

    return inspect


def _item(found: Found) -> tuple[str, bytes, bytes] | None:
    """Return what a rule found as variable, key and value; None for no match."""
    if found is None or found is False:
        return None
    if isinstance(found, Item):
        return found.variable, bytes_of(found.name), bytes_of(found.value)
    if isinstance(found, bytes):
        return "", b"", found
    if isinstance(found, str):
        return "", b"", bytes_of(found)
    if found is True:
        return "", b"", b""
    raise TypeError(f"a rule returns None, True, text, bytes or an Item, not {type(found).__name__}")


def _raised_at(error: Exception, file: str) -> Place:
    frames: Sequence[traceback.FrameSummary] = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file and frame.lineno]
    return Place(file, lines[-1] if lines else 1)
