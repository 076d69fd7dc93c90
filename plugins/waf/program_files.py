"""What a program of rules rests on: expressions that must be valid, and files that must not have changed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from adc_plugins.waf.engine.ruleset import read_data_file
from adc_plugins.waf.operators import compile_operator
from adc_plugins.waf.seclang.model import Program, Rule, SecLangError

State = tuple[int, int, int]
_OF_FILES = ("pmfromfile", "pmf", "ipmatchfromfile", "ipmatchf")


def check_operators(program: Program) -> None:
    """Raise SecLangError for an operator whose argument is looked at only when it first matches."""
    for rule in _links(program):
        call = rule.operator
        if call is not None:
            operator = compile_operator(call, rule.place, partial(read_data_file, rule.place))
            try:
                operator.check()
            except ValueError as error:
                raise SecLangError(rule.place, f"@{call.name}: {error}") from error


def states_of(program: Program) -> dict[Path, State]:
    """Return the files with rules and those that operators read, each with its inode, size and time of change."""
    paths = {Path(item.place.file) for item in program.items}
    for rule in _links(program):
        call = rule.operator
        if call is not None and call.name in _OF_FILES:
            paths |= {Path(rule.place.file).parent / name for name in call.argument.split()}
    return {path: state for path in paths if (state := state_of(path)) is not None}


def state_of(path: Path) -> State | None:
    """Return the state of a file, None without one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _links(program: Program) -> Iterator[Rule]:
    """Yield every rule, chained ones too."""
    for item in program.items:
        rule = item if isinstance(item, Rule) else None
        while rule is not None:
            yield rule
            rule = rule.chain
