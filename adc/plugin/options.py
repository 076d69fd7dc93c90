"""Options of a plugin as the configuration has them, checked: the options of every plugin, and its own."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from adc.plugin.base import Plugin
from adc.plugin.option_messages import message_of
from adc.plugin.units import seconds
from adc.plugin.use import OnError, PluginUse, Policy

RESERVED = ("on_error", "budget", "timeout")
"""Options that every plugin has and that no plugin may declare."""

_LEAST = 0.001

Finding = tuple[tuple[str | int, ...], str]
"""The keys that lead to an option, and its error."""


class OptionErrors(ValueError):
    """Options of a plugin are wrong; `findings` has every reason."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("; ".join(f"{key_text(key)}{message}" for key, message in self.findings))


ResultT = TypeVar("ResultT")


def with_place(option: str, make: Callable[..., ResultT], *arguments: Any) -> ResultT:
    """Return `make(*arguments)`. Its ValueError becomes an error of `option`: OptionErrors."""
    try:
        return make(*arguments)
    except ValueError as error:
        raise OptionErrors([((option,), str(error))]) from None


def key_text(key: tuple[str | int, ...]) -> str:
    """Return `rules.0.find: `, or nothing for the options as a whole."""
    return f"{'.'.join(map(str, key))}: " if key else ""


def make_use(name: str, plugin: type[Plugin[Any]], options: Any, folder: Path | str = "") -> PluginUse:
    """Make one use of `plugin` with its options as written; relative paths in them start at `folder`.

    Raises OptionErrors.
    """
    if not isinstance(options, Mapping):
        raise OptionErrors(
            [((), f"the options are {options!r}; write a mapping, such as {{on_error: fail_open}}")]
        )
    findings: list[Finding] = []
    policy = _policy(options, plugin.default_timeout, findings)
    made: Plugin[Any] | None = None
    try:
        made = _make(plugin, {key: value for key, value in options.items() if key not in RESERVED}, folder)
    except OptionErrors as errors:
        findings += errors.findings
    if findings or made is None:
        raise OptionErrors(findings)
    return PluginUse(name, made, policy)


def option_names(plugin: type[Plugin[Any]]) -> list[str]:
    """Return the names of the plugin's own options, as a configuration writes them."""
    declared = plugin.options_type
    if isinstance(declared, type) and issubclass(declared, BaseModel):
        return [field.alias or name for name, field in declared.model_fields.items()]
    return [field.name for field in dataclasses.fields(declared)]


def _policy(options: Mapping[str, Any], timeout: float, findings: list[Finding]) -> Policy:
    default = Policy(timeout=timeout)
    on_error: OnError = default.on_error
    match options.get("on_error", on_error):
        case "fail_closed" | "fail_open" as written:
            on_error = written
        case _:
            findings.append((("on_error",), f"is {options['on_error']!r}; use fail_closed or fail_open"))
    budget = _limit(options, "budget", default.budget, findings)
    return Policy(on_error, budget, _limit(options, "timeout", default.timeout, findings))


def _limit(options: Mapping[str, Any], key: str, default: float, findings: list[Finding]) -> float:
    if key not in options:
        return default
    try:
        limit = seconds(options[key])
    except ValueError as error:
        findings.append(((key,), str(error)))
        return default
    if limit < _LEAST:
        findings.append(((key,), f"is {options[key]}; allowed: 1ms and more"))
    return limit


def _make(plugin: type[Plugin[Any]], written: Mapping[str, Any], folder: Path | str) -> Plugin[Any]:
    """Make the instance. OptionErrors has unknown keys and wrong values, or the plugin's own objection."""
    names = option_names(plugin)
    clash = sorted(set(names) & set(RESERVED))
    if clash:
        raise OptionErrors([((), f"the plugin declares the option {clash[0]}, which every plugin has")])
    findings: list[Finding] = [((key,), _unknown(key, names)) for key in written if key not in names]
    try:
        options = TypeAdapter(plugin.options_type).validate_python(
            {key: value for key, value in written.items() if key in names}, context={"folder": folder}
        )
    except ValidationError as error:
        findings += _findings(error, written)
        raise OptionErrors(findings) from None
    except Exception as error:  # any error of the plugin's validators and annotations
        findings.append(((), f"{type(error).__name__}: {error}"))
        raise OptionErrors(findings) from error
    if findings:
        raise OptionErrors(findings)
    try:
        return _consistent(plugin(options))
    except OptionErrors:
        raise
    except Exception as error:
        raise OptionErrors(
            [((), str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}")]
        ) from error


def _findings(error: ValidationError, written: Mapping[str, Any]) -> list[Finding]:
    """Return the errors of pydantic. Of those of a union, one of a type that was not meant goes if there are others
    within the value."""
    problems = [
        (_place(each["loc"], written, each["type"] == "missing"), each)
        for each in error.errors(include_url=False)
    ]
    places = [place for place, _ in problems]
    return [
        (place, message_of(each))
        for place, each in problems
        if not (
            each["type"].endswith("_type") and any(place == other[: len(place)] != other for other in places)
        )
    ]


def _place(steps: tuple[str | int, ...], written: object, missing: bool) -> tuple[str | int, ...]:
    """Return the steps that lead to a value, or to a key that is `missing`, without those that
    pydantic adds for the types of a union."""
    found: list[str | int] = []
    for number, step in enumerate(steps, 1):
        if isinstance(written, Mapping) and (step in written or (missing and number == len(steps))):
            written = written.get(step)
        elif isinstance(step, int) and isinstance(written, list | tuple) and step < len(written):
            written = written[step]
        else:
            continue
        found.append(step)
    return tuple(found)


def _consistent(plugin: Plugin[Any]) -> Plugin[Any]:
    for phase in ("request_body", "response_body"):
        limit, inspect = getattr(plugin, f"{phase}_limit"), getattr(plugin, f"{phase}_inspect")
        if limit is not None and inspect is not None:
            raise ValueError(f"the plugin sets {phase}_limit and {phase}_inspect; allowed: one of them")
    return plugin


def _unknown(key: str, names: list[str]) -> str:
    allowed = [*names, *RESERVED]
    near = difflib.get_close_matches(str(key), allowed, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"unknown option; {hint}Allowed: {', '.join(allowed)}"
